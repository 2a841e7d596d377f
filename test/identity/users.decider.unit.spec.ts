import { expect } from 'chai';
import { emailAggregate, identityAggregate } from '../../commands/users/claims.ts';
import type { SealedText, WelcomeUser } from '../../commands/users/users.commands.ts';
import { userDecider } from '../../commands/users/users.decider.ts';
import type { UserEvent } from '../../src/events/user/user.events.ts';
import type { Sealed } from '../../src/kernel/vault.ts';
import { given } from '../support/given.ts';

const at = '2026-03-01T12:00:00.000Z';
const userId = '3f1d4c6e-0d0f-5b6f-9d0a-1c2b3a4d5e6f';
const sealed = (ct: string): Sealed => ({ k: userId, iv: 'iv', ct, tag: 'tag' });
const text = (value: string): SealedText => ({ sealed: sealed(value), digest: `digest of ${value}` });

const welcome = (told: Partial<WelcomeUser['data']> = {}): WelcomeUser => ({
  type: 'WelcomeUser',
  key: 'welcome:1',
  data: {
    userId,
    identityHash: 'google-ada',
    email: { ...text('ada'), hash: 'hash of ada' },
    name: text('Ada'),
    role: undefined,
    at,
    ...told,
  },
});

const profile = {
  email: sealed('ada'),
  emailDigest: 'digest of ada',
  emailHash: 'hash of ada',
  name: sealed('Ada'),
  nameDigest: 'digest of Ada',
};
const registered: UserEvent = {
  type: 'UserRegistered',
  data: { userId, identityHash: 'google-ada', ...profile, role: 'user', at },
};
const removed: UserEvent = { type: 'UserRemoved', data: { userId, at } };

describe('a user', () => {
  describe('when nobody yet', () => {
    it('is registered as a plain user', () => {
      given(userDecider).when(welcome()).thenEvents(registered);
    });

    it('is an administrator when the provider says so', () => {
      const asAdmin: UserEvent = { ...registered, data: { ...registered.data, role: 'admin' } };
      given(userDecider)
        .when(welcome({ role: 'admin' }))
        .thenEvents(asAdmin);
    });

    it('cannot be given a role, and removing says nothing', () => {
      given(userDecider)
        .when({ type: 'ChangeRole', key: 'r', data: { userId, role: 'admin', at } })
        .thenRefused('not_found');
      given(userDecider).when({ type: 'RemoveUser', key: 'x', data: { userId, at } }).thenNothing();
    });
  });

  describe('when registered', () => {
    it('says nothing to a sign-in that changes nothing', () => {
      given(userDecider, registered).when(welcome()).thenNothing();
      given(userDecider, registered)
        .when(welcome({ email: undefined, name: undefined }))
        .thenNothing();
    });

    it('keeps the name when only the e-mail has changed', () => {
      const changed: UserEvent = {
        type: 'ProfileChanged',
        data: { ...profile, email: sealed('ida'), emailDigest: 'digest of ida', emailHash: 'hash of ida', userId, at },
      };
      const command = welcome({ email: { ...text('ida'), hash: 'hash of ida' }, name: undefined });
      given(userDecider, registered).when(command).thenEvents(changed);
    });

    it('never exchanges a verified e-mail for one that is not', () => {
      const command = welcome({ email: { ...text('eve'), hash: null } });
      given(userDecider, registered).when(command).thenNothing();
    });

    it('notes another identity, a new name and a new role in one go', () => {
      const command = welcome({ identityHash: 'github-ada', name: text('Ada L.'), role: 'admin' });
      const state = given(userDecider, registered)
        .when(command)
        .thenEvents(
          { type: 'IdentityLinked', data: { userId, identityHash: 'github-ada', at } },
          {
            type: 'ProfileChanged',
            data: { ...profile, name: sealed('Ada L.'), nameDigest: 'digest of Ada L.', userId, at },
          },
          { type: 'RoleChanged', data: { userId, role: 'admin', at } },
        );
      expect(state).to.include({ status: 'registered', role: 'admin' });
    });

    it('is removed once', () => {
      const command = { type: 'RemoveUser', key: 'x', data: { userId, at } } as const;
      given(userDecider, registered).when(command).thenEvents(removed);
      given(userDecider, registered, removed).when(command).thenNothing();
    });
  });

  describe('when removed', () => {
    it('never comes back', () => {
      given(userDecider, registered, removed).when(welcome()).thenRefused('unauthorized');
      expect(given(userDecider, registered, removed, registered).state).to.deep.equal({ status: 'removed', userId });
    });
  });
});

for (const [what, aggregate, verb] of [
  ['identity', identityAggregate, 'Identity'],
  ['e-mail', emailAggregate, 'Email'],
] as const) {
  describe(`the claim on an ${what}`, () => {
    const { decider } = aggregate as typeof emailAggregate;
    const claimed = { type: `${verb}Claimed`, data: { userId, at } } as { type: 'EmailClaimed'; data: never };
    const released = { type: `${verb}Released`, data: { userId, at } } as { type: 'EmailReleased'; data: never };
    const claim = { type: 'Claim', key: 'c', data: { userId, at } } as const;
    const release = { type: 'Release', key: 'r', data: { userId, at } } as const;
    const rival = { userId: 'rival', at };

    it('belongs to the first', () => {
      given(decider).when(claim).thenEvents(claimed);
      given(decider, claimed)
        .when({ ...claim, data: rival })
        .thenNothing();
    });

    it('is released by its owner alone, and can be claimed anew', () => {
      given(decider, claimed)
        .when({ ...release, data: rival })
        .thenNothing();
      given(decider, claimed).when(release).thenEvents(released);
      expect(given(decider, claimed, released).state).to.deep.equal({ owner: undefined, released: 1 });
      given(decider, claimed, released).when(claim).thenEvents(claimed);
    });
  });
}
