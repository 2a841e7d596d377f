import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { ada, causeAt, failure, identityRig, START, type IdentityRig } from './rig.ts';

const emailOf = async ({ users, vault }: IdentityRig, userId: string): Promise<unknown> => {
  const user = await users.state(userId);
  return user.status === 'registered' ? vault.open(`user-${userId}`, user.profile.email) : undefined;
};

const remove = (rig: IdentityRig, userId: string) =>
  rig.users.handle(userId, { type: 'RemoveUser', key: `remove:${userId}`, data: { userId, at: START } }, causeAt());

const unverified = { ...ada, subject: 'github|eve', emailVerified: false, name: 'Eve' };
const github = { ...ada, subject: 'github|ada' };

describe('signing in', () => {
  it('makes a user, a credit account with the grant and a session at the first time, a session at later ones', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    expect((await rig.logIn()).userId).to.equal(userId);
    expect(rig.said('user-')).to.deep.equal(['UserRegistered']);
    expect(rig.said('creditAccount-')).to.deep.equal(['CreditAccountOpened', 'PromoCreditsGranted']);
    expect(rig.said('session-')).to.deep.equal(['SignedIn', 'SignedIn']);
    expect(rig.said('identity-')).to.deep.equal(['IdentityClaimed']);
    expect(rig.said('email-')).to.deep.equal(['EmailClaimed']);
  });

  it('writes no name, address or subject in clear anywhere in the log', async () => {
    const rig = identityRig();
    await rig.logIn();
    const log = JSON.stringify(rig.store.log(), (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    expect(log).not.to.match(/ada@example|"Ada"|google-oauth2/i);
  });

  it('repeats one sign-in without saying anything twice', async () => {
    const rig = identityRig();
    const sessionId = randomUUID();
    await rig.logIn(ada, START, sessionId);
    const before = rig.store.log().length;
    await rig.logIn(ada, START, sessionId);
    expect(rig.store.log()).to.have.length(before);
  });

  it('lets two first logins at once, in two processes, become one user', async () => {
    const first = identityRig();
    const second = identityRig(first.store, first.vault);
    const users = await Promise.all([first.logIn(), second.logIn(), first.logIn(), second.logIn()]);
    expect(new Set(users.map(({ userId }) => userId))).to.have.length(1);
    expect(first.said('user-')).to.deep.equal(['UserRegistered']);
    expect(first.said('creditAccount-')).to.deep.equal(['CreditAccountOpened', 'PromoCreditsGranted']);
  });

  it('lets two providers with the same verified address become one user, also at once', async () => {
    const first = identityRig();
    const second = identityRig(first.store, first.vault);
    const [one, other] = await Promise.all([first.logIn(), second.logIn(github)]);
    expect(one.userId).to.equal(other.userId);
    expect(first.said('user-').filter((type) => type !== 'ProfileChanged')).to.deep.equal([
      'UserRegistered',
      'IdentityLinked',
    ]);
  });

  it('agrees with itself after a crash behind any step', async () => {
    const whole = identityRig();
    const { userId } = await whole.logIn();
    const appends = whole.store.log().length;
    for (let step = 1; step <= appends; step += 1) {
      const rig = identityRig();
      let count = 0;
      rig.store.beforeAppend(() => {
        count += 1;
        if (count === step) throw new StoreUnavailableError('killed');
      });
      await failure(rig.logIn());
      rig.store.beforeAppend(undefined);
      const next = identityRig(rig.store, rig.vault);
      expect((await next.logIn()).userId).to.equal(userId);
      expect(next.said('user-')).to.deep.equal(['UserRegistered']);
      expect(next.said('creditAccount-')).to.deep.equal(['CreditAccountOpened', 'PromoCreditsGranted']);
    }
  });

  it('succeeds when the credit account cannot be opened, and the next sign-in opens it', async () => {
    const rig = identityRig();
    rig.store.beforeAppend((stream) => {
      if (stream.startsWith('creditAccount-')) throw new StoreUnavailableError('away');
    });
    await rig.logIn();
    expect(rig.said('creditAccount-')).to.deep.equal([]);
    rig.store.beforeAppend(undefined);
    await rig.logIn();
    expect(rig.said('creditAccount-')).to.deep.equal(['CreditAccountOpened', 'PromoCreditsGranted']);
  });
});

describe('an e-mail address', () => {
  it('must be verified to sign in, but for those whose provider verifies none', async () => {
    const rig = identityRig();
    const error = await failure(rig.logIn({ ...ada, emailVerified: false }));
    expect(error).to.include({ errorType: 'unauthorized' });
    expect(rig.store.log()).to.deep.equal([]);
    expect(await rig.logIn(unverified)).to.include({ status: 'registered' });
  });

  it('that nobody verified links nobody, and may be shown', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    const eve = await rig.logIn(unverified);
    expect(eve.userId).not.to.equal(userId);
    expect(await emailOf(rig, eve.userId)).to.equal('Ada@example.test');
    expect(eve.profile.emailHash).to.equal(null);
    // The other order: who verified the address later does not get the account of who only named it.
    const other = identityRig();
    const squatter = await other.logIn(unverified);
    expect((await other.logIn()).userId).not.to.equal(squatter.userId);
  });

  it('is made up when the provider knows none', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn({ ...unverified, email: undefined });
    expect(await emailOf(rig, userId)).to.equal('user-github|eve');
  });

  it('that was given up does not lead its next owner into the old account', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    await rig.logIn({ ...ada, email: 'lovelace@example.test' });
    expect(await emailOf(rig, userId)).to.equal('lovelace@example.test');
    expect((await rig.logIn(github)).userId).not.to.equal(userId);
    expect((await rig.logIn({ ...github, subject: 'other|1', email: 'lovelace@example.test' })).userId).to.equal(
      userId,
    );
  });

  it('of another user is not taken over by a change of address', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    const bob = { ...ada, subject: 'google-oauth2|bob', email: 'bob@example.test', name: 'Bob' };
    const before = await rig.logIn(bob);
    const after = await rig.logIn({ ...bob, email: 'ada@example.test' });
    expect(after.userId).to.equal(before.userId);
    expect(await emailOf(rig, after.userId)).to.equal('bob@example.test');
    expect(await emailOf(rig, userId)).to.equal('Ada@example.test');
  });
});

describe('a removed user', () => {
  it('does not come back by a token, neither by subject nor by address', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    await remove(rig, userId);
    for (const person of [ada, github]) {
      const error = await failure(rig.service.provision(person, randomUUID(), causeAt()));
      expect(error).to.satisfy(isDomainError);
    }
    expect(rig.said('user-')).to.deep.equal(['UserRegistered', 'UserRemoved']);
  });

  it('does not come back by a token while their new sign-up is half done', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    await remove(rig, userId);
    rig.store.beforeAppend((stream, events) => {
      if (stream.startsWith('email-') && events[0]?.type === 'EmailReleased') throw new StoreUnavailableError('killed');
    });
    await failure(rig.logIn());
    rig.store.beforeAppend(undefined);
    expect(rig.said('identity-')).to.deep.equal(['IdentityClaimed', 'IdentityReleased']);
    const nameless = { ...ada, email: undefined, emailVerified: false };
    expect(await failure(rig.service.provision(nameless, randomUUID(), causeAt()))).to.satisfy(isDomainError);
    expect((await rig.logIn()).userId).not.to.equal(userId);
  });

  it('is somebody new after a new login, without a second grant', async () => {
    const rig = identityRig();
    const { userId } = await rig.logIn();
    await remove(rig, userId);
    await rig.vault.destroy(userId);
    const again = await rig.logIn();
    expect(again.userId).not.to.equal(userId);
    expect((await rig.logIn(github)).userId).to.equal(again.userId);
    expect(rig.said(`creditAccount-${again.userId}`)).to.deep.equal(['CreditAccountOpened']);
    expect((await rig.users.state(userId)).status).to.equal('removed');
  });
});

describe('a role', () => {
  it('follows the provider when it tells, and stays when it does not', async () => {
    const rig = identityRig();
    expect((await rig.logIn()).role).to.equal('user');
    expect((await rig.logIn({ ...ada, role: 'admin' })).role).to.equal('admin');
    expect((await rig.logIn()).role).to.equal('admin');
    expect((await rig.logIn({ ...ada, role: 'user' })).role).to.equal('user');
  });
});
