import { expect } from 'chai';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { available } from '../../commands/credits/credits.lots.ts';
import { creditAccountSnapshot } from '../../commands/credits/credits.snapshot.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { given } from '../support/given.ts';
import { at, capture, history, metered, openAccount, release, reserve, stateOf, T0, USER, work } from './fixtures.ts';

const only = <T extends CreditAccountEvent['type']>(
  events: readonly CreditAccountEvent[],
  type: T,
): Extract<CreditAccountEvent, { type: T }> => {
  const found = events.filter((event) => event.type === type);
  expect(found, type).to.have.length(1);
  return found[0] as Extract<CreditAccountEvent, { type: T }>;
};

describe('credit account', () => {
  describe('when there is none', () => {
    it('opens with the signup grant in one append, and tells the balance after each event', () => {
      const decided = decider.decide(openAccount(2_000_000n), decider.initial);
      expect(decided.map(({ type }) => type)).to.deep.equal(['CreditAccountOpened', 'PromoCreditsGranted']);
      expect(decided[0]?.data.after).to.deep.equal({ paid: '0', promo: '0', held: '0', shortfall: '0' });
      expect(decided[1]?.data.after).to.deep.equal({ paid: '0', promo: '2000000', held: '0', shortfall: '0' });
    });

    it('opens without a grant when there is none to give', () => {
      const after = { paid: '0', promo: '0', held: '0', shortfall: '0' };
      given(decider)
        .when(openAccount(0n))
        .thenEvents({ type: 'CreditAccountOpened', data: { userId: USER, currency: 'USD', at: T0, after } });
    });

    it('refuses a hold', () => {
      given(decider).when(reserve('r1', 1n)).thenRefused('credit_insufficient');
    });
  });

  describe('when open with 2 USD of promo credit', () => {
    const opened = history(openAccount(2_000_000n));

    it('says nothing to a second opening', () => {
      given(decider, ...opened)
        .when(openAccount(2_000_000n))
        .thenNothing();
    });

    it('holds estimate and margin together', () => {
      const events = decider.decide(reserve('r1', 100n, 1, 50n), stateOf(opened));
      const held = only(events, 'FundsReserved');
      expect(held.data.held).to.equal('150');
      expect(held.data.after).to.deep.equal({ paid: '0', promo: '1999850', held: '150', shortfall: '0' });
    });

    it('holds everything there is, and not one micro-dollar more', () => {
      const all = history(openAccount(2_000_000n), reserve('r1', 2_000_000n));
      expect(available(stateOf(all), at(1))).to.equal(0n);
      given(decider, ...opened)
        .when(reserve('r1', 2_000_001n))
        .thenRefused('credit_insufficient');
      given(decider, ...all)
        .when(reserve('r2', 1n))
        .thenRefused('credit_insufficient');
    });

    it('tells in the refusal what is needed, what is there and what to do', () => {
      const detail = given(decider, ...opened)
        .when(reserve('r1', 3_000_000n))
        .thenRefused('credit_insufficient');
      expect(detail).to.contain('3 USD').and.to.contain('2 USD').and.to.contain('buy credits');
    });

    it('refuses once the promo credit has expired, and writes the expiry down', () => {
      const short = history(openAccount(2_000_000n, 10));
      given(decider, ...short)
        .when(reserve('r1', 1n, 10))
        .thenRefused('credit_insufficient');
      const expired = decider.decide({ type: 'ExpirePromo', key: 'e', data: { at: at(10) } }, stateOf(short));
      expect(only(expired, 'PromoCreditsExpired').data.amount).to.equal('2000000');
      given(decider, ...short, ...expired)
        .when({ type: 'ExpirePromo', key: 'e', data: { at: at(11) } })
        .thenNothing();
    });
  });

  describe('when money is on hold', () => {
    const holding = history(openAccount(2_000_000n), reserve('r1', 1_000_000n));

    it('says nothing to the same hold again', () => {
      given(decider, ...holding)
        .when(reserve('r1', 1_000_000n))
        .thenNothing();
    });

    it('captures the cost and gives the rest back', () => {
      const { data } = only(decider.decide(capture('r1', 400_000n), stateOf(holding)), 'ReservationCaptured');
      expect(data.captured.map(({ m }) => m)).to.deep.equal(['400000']);
      expect(data.released.map(({ m }) => m)).to.deep.equal(['600000']);
      expect(data.after).to.deep.equal({ paid: '0', promo: '1600000', held: '0', shortfall: '0' });
    });

    it('takes what the hold does not cover from free lots', () => {
      const { data } = only(decider.decide(capture('r1', 1_500_000n), stateOf(holding)), 'ReservationCaptured');
      expect(data.released).to.deep.equal([]);
      expect(data.overrun.map(({ m }) => m)).to.deep.equal(['500000']);
      expect(data.shortfall).to.equal('0');
    });

    it('records what is owed up to 2 USD, writes the rest off, and refuses until it is settled', () => {
      const events = decider.decide(capture('r1', 5_000_000n), stateOf(holding));
      const { data } = only(events, 'ReservationCaptured');
      expect([data.shortfall, data.writtenOff]).to.deep.equal(['2000000', '1000000']);
      expect(only(events, 'ShortfallRecorded').data.amount).to.equal('2000000');
      const detail = given(decider, ...holding, ...events)
        .when(reserve('r2', 1n, 3))
        .thenRefused('credit_insufficient');
      expect(detail).to.contain('owed');
    });

    it('says nothing to a second capture, nor to a release after it', () => {
      const captured = decider.decide(capture('r1', 1n), stateOf(holding));
      given(decider, ...holding, ...captured)
        .when(capture('r1', 999n, 5))
        .thenNothing();
      given(decider, ...holding, ...captured)
        .when(release('r1', 5))
        .thenNothing();
    });

    it('gives everything back on release, and a capture after it changes nothing', () => {
      const released = decider.decide(release('r1'), stateOf(holding));
      expect(released[0]?.data.after.promo).to.equal('2000000');
      given(decider, ...holding, ...released)
        .when(capture('r1', 5n, 6))
        .thenNothing();
    });

    it('refuses to capture what was never held', () => {
      given(decider, ...holding)
        .when(capture('other', 5n))
        .thenRefused('not_found');
    });

    it('expires what goes back to a lot whose time is over, in the same append', () => {
      const short = history(openAccount(2_000_000n, 10), reserve('r1', 1_000_000n));
      const events = decider.decide(capture('r1', 300_000n, 20), stateOf(short));
      const expired = events.filter((event) => event.type === 'PromoCreditsExpired').map(({ data }) => data.amount);
      expect(expired).to.deep.equal(['1000000', '700000']);
      expect(events.at(-1)?.data.after).to.deep.equal({ paid: '0', promo: '0', held: '0', shortfall: '0' });
    });

    it('is extended by what is free, and not beyond', () => {
      const extend = (add: bigint) =>
        ({
          type: 'ExtendReservation',
          key: 'extend:r1:1',
          data: { reservationId: 'r1', add, leaseUntil: at(60), at: at(5) },
        }) as const;
      const events = decider.decide(extend(1_000_000n), stateOf(holding));
      expect(only(events, 'ReservationExtended').data.after.held).to.equal('2000000');
      given(decider, ...holding)
        .when(extend(1_000_001n))
        .thenRefused('credit_insufficient');
    });
  });

  describe('when the holder died', () => {
    const settle = (seconds: number) =>
      ({
        type: 'SettleAbandoned',
        key: 'settle:r1',
        data: { reservationId: 'r1', graceMs: 5000, at: at(seconds) },
      }) as const;
    const holding = history(openAccount(2_000_000n), reserve('r1', 1_000_000n));
    const renewed = [
      ...holding,
      ...decider.decide(
        {
          type: 'RenewReservation',
          key: 'renew:r1:1',
          data: { reservationId: 'r1', leaseUntil: at(60), soFar: metered(123n), at: at(11) },
        },
        stateOf(holding),
      ),
    ];

    it('leaves a living hold alone until lease and grace are over', () => {
      given(decider, ...holding)
        .when(settle(35))
        .thenNothing();
      given(decider, ...renewed)
        .when(settle(64))
        .thenNothing();
    });

    it('gives the money back when no cost is known', () => {
      const events = decider.decide(settle(36), stateOf(holding));
      expect(only(events, 'ReservationLeaseExpired').data.after.promo).to.equal('2000000');
      given(decider, ...holding, ...events)
        .when(settle(50))
        .thenNothing();
    });

    it('charges what the last checkpoint said', () => {
      const { data } = only(decider.decide(settle(65), stateOf(renewed)), 'ReservationCaptured');
      expect(data.metered.cost).to.equal('123');
      expect([data.endedBy, data.estimated]).to.deep.equal(['sweeper', true]);
    });

    it('takes the cost again when the work turns out to have gone on', () => {
      const expired = decider.decide(settle(36), stateOf(holding));
      const late = decider.decide(capture('r1', 250_000n, 40), stateOf([...holding, ...expired]));
      const { data } = only(late, 'ReservationCaptured');
      expect([data.late, data.captured.length, data.overrun[0]?.m]).to.deep.equal([true, 0, '250000']);
      given(decider, ...holding, ...expired, ...late)
        .when(capture('r1', 250_000n, 41))
        .thenNothing();
    });

    it('takes nothing any more once the work was begun anew', () => {
      const supersede = (seconds: number): CreditCommand => ({
        type: 'ReleaseReservation',
        key: 'supersede:r1',
        data: { reservationId: 'r1', reason: 'superseded', at: at(seconds) },
      });
      given(decider, ...holding)
        .when(supersede(20))
        .thenNothing();
      const expired = decider.decide(settle(36), stateOf(holding));
      const superseded = decider.decide(supersede(38), stateOf([...holding, ...expired]));
      const { released, reason, after } = only(superseded, 'ReservationReleased').data;
      expect([released, reason, after.promo]).to.deep.equal([[], 'superseded', '2000000']);
      const history = [...holding, ...expired, ...superseded];
      given(decider, ...history)
        .when(supersede(39))
        .thenNothing();
      given(decider, ...history)
        .when(capture('r1', 250_000n, 40))
        .thenNothing();
      const late = decider.decide(capture('r1', 250_000n, 37), stateOf([...holding, ...expired]));
      given(decider, ...holding, ...expired, ...late)
        .when(supersede(38))
        .thenNothing();
    });
  });

  it('spends promo credit by earliest expiry', () => {
    const opened = history(openAccount(100n, 1000));
    const second: CreditAccountEvent = {
      type: 'PromoCreditsGranted',
      data: {
        grantId: 'g2',
        lotId: 'sooner',
        amount: '100',
        expiresAt: at(500),
        reason: 'campaign',
        at: T0,
        after: { paid: '0', promo: '200', held: '0', shortfall: '0' },
      },
    };
    const held = decider.decide(reserve('r1', 150n), stateOf([...opened, second]));
    expect(only(held, 'FundsReserved').data.alloc.map(({ lotId, m }) => [lotId === 'sooner', m])).to.deep.equal([
      [true, '100'],
      [false, '50'],
    ]);
  });

  it('survives a snapshot unchanged', () => {
    const state = stateOf(
      history(openAccount(2_000_000n), reserve('r1', 5n), reserve('r2', 6n), capture('r2', 3n), reserve('r3', 1n)),
    );
    const json = JSON.parse(JSON.stringify(creditAccountSnapshot.toJson(state))) as unknown;
    expect(creditAccountSnapshot.fromJson(json)).to.deep.equal(state);
  });

  it('names the work on the charge', () => {
    const events = history(openAccount(2_000_000n), reserve('r1', 5n), capture('r1', 3n));
    expect(only(events, 'ReservationCaptured').data.work).to.deep.equal(work);
  });
});
