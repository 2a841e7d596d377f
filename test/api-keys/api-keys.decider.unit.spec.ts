import { expect } from 'chai';
import { apiKeyDecider as decider } from '../../commands/api-keys/api-keys.decider.ts';
import { given } from '../support/given.ts';
import { ADA, create, GRACE, KEY_ID, revoke, setBudget, T0, T1 } from './fixtures.ts';

const created = decider.decide(create(), decider.initial);
const revoked = [...created, ...decider.decide(revoke(), given(decider, ...created).state)];
const owner = { keyId: KEY_ID, userId: ADA, at: T1 };

describe('an API key', () => {
  describe('that is not there', () => {
    it('is made with everything that was asked for', () => {
      const { data } = create();
      const state = given(decider)
        .when(create())
        .thenEvents({ type: 'ApiKeyCreated', data: { ...data, budget: { limit: '5000000', period: 'day' } } });
      expect(state).to.deep.include({ status: 'active', userId: ADA, budget: { limit: 5_000_000n, period: 'day' } });
    });

    it('may do without a budget', () => {
      const [event] = decider.decide(create({ budget: null }), decider.initial);
      expect(event?.data).to.deep.include({ budget: null });
    });

    it('is not made to end before it begins', () => {
      given(decider)
        .when(create({ expiresAt: T0 }))
        .thenRefused('validation_error');
      expect(decider.decide(create({ expiresAt: T1 }), decider.initial)).to.have.length(1);
    });

    it('cannot be changed or revoked', () => {
      given(decider).when(setBudget(null)).thenRefused('not_found');
      given(decider).when(revoke()).thenRefused('not_found');
    });
  });

  describe('that is there', () => {
    it('is not made a second time', () => {
      given(decider, ...created)
        .when(create({ secretHash: 'cd'.repeat(32) }))
        .thenRefused('already_exists');
    });

    it('takes another budget, or none', () => {
      given(decider, ...created)
        .when(setBudget({ limit: 1n, period: 'total' }))
        .thenEvents({ type: 'ApiKeyBudgetChanged', data: { ...owner, budget: { limit: '1', period: 'total' } } });
      const state = given(decider, ...created)
        .when(setBudget(null))
        .thenEvents({ type: 'ApiKeyBudgetChanged', data: { ...owner, budget: null } });
      expect(state).to.deep.include({ status: 'active', budget: null });
    });

    it('says nothing to the budget that it has', () => {
      given(decider, ...created)
        .when(setBudget({ limit: 5_000_000n, period: 'day' }))
        .thenNothing();
    });

    it('is nobody else’s to change or revoke', () => {
      given(decider, ...created)
        .when(setBudget(null, GRACE))
        .thenRefused('not_found');
      given(decider, ...created)
        .when(revoke(GRACE))
        .thenRefused('not_found');
    });

    it('is revoked', () => {
      const state = given(decider, ...created)
        .when(revoke())
        .thenEvents({ type: 'ApiKeyRevoked', data: owner });
      expect(state).to.deep.equal({ status: 'revoked', userId: ADA });
    });
  });

  describe('that is revoked', () => {
    it('stays so, quietly', () => {
      given(decider, ...revoked)
        .when(revoke())
        .thenNothing();
      given(decider, ...revoked)
        .when(revoke(GRACE))
        .thenRefused('not_found');
    });

    it('takes no budget and is not made again', () => {
      given(decider, ...revoked)
        .when(setBudget(null))
        .thenRefused('not_found');
      given(decider, ...revoked)
        .when(create())
        .thenRefused('already_exists');
    });
  });
});
