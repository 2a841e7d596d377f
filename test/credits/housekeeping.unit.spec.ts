import { expect } from 'chai';
import { closeBooks, expirePromoCredit, settleAbandonedHolds } from '../../commands/credits/housekeeping.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { at, openAccount, reserve, T0, USER } from './fixtures.ts';

const BROKEN = uuidOf('broken');
const cause = { at: T0, correlationId: 'c', causationId: 'c', actor: { kind: 'user', id: USER } } as const;

/** Two accounts, of which the stream of one cannot be read. */
const given = async (seconds: number) => {
  const store = memoryEventStore();
  const accounts = commandHandler(creditAccount, { store, logger: silentLogger, pause: () => Promise.resolve() });
  await accounts.handle(USER, openAccount(1_000_000n, 60), cause);
  await accounts.handle(USER, reserve('r1', 400_000n, 1), cause);
  const credits: typeof accounts = {
    ...accounts,
    handle: (id, command, why) =>
      id === BROKEN ? Promise.reject(new Error('this stream is broken')) : accounts.handle(id, command, why),
  };
  const deps = { credits, clock: () => new Date(at(seconds)), logger: silentLogger };
  return { deps, types: () => store.log().map(({ type }) => type) };
};

const due = () => Promise.resolve([BROKEN, USER]);

describe('what is looked after in accounts', () => {
  it('is done for the others when one of them is broken', async () => {
    const { deps, types } = await given(100);
    const abandoned = () => Promise.resolve([BROKEN, USER].map((userId) => ({ userId, reservationId: 'r1' })));
    expect(await settleAbandonedHolds({ ...deps, abandoned, graceMs: 3000 })()).to.equal(1);
    expect(types()).to.include.members(['ReservationLeaseExpired', 'PromoCreditsExpired']);
  });

  it('is expired and closed once, however often it is looked at', async () => {
    const expiring = await given(100);
    const expire = expirePromoCredit({ ...expiring.deps, due });
    await expire();
    const once = expiring.types();
    await expire();
    expect(once.filter((type) => type === 'PromoCreditsExpired')).to.have.length(1);
    expect(expiring.types()).to.deep.equal(once);

    const closing = await given(40 * 86_400);
    const close = closeBooks({ ...closing.deps, due });
    await close();
    await close();
    expect(closing.types().filter((type) => type === 'BooksClosed')).to.have.length(1);
  });
});
