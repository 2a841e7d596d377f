import { expect } from 'chai';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { totalsOf } from '../../commands/credits/credits.lots.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { fold } from '../../src/kernel/decider.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { capture, openAccount, reserve, T0, USER } from './fixtures.ts';
import { checked } from './account-invariants.ts';

const REQUESTS = 10_000;
const BALANCE = 100_000_000n;
const PRICE = 1_000_000n;
const INSTANCES = 3;

const cause = { at: T0, correlationId: 'c', causationId: 'c', actor: { kind: 'user', id: USER } } as const;

/** Instances with a memory each on one log; any may die, and one that forgets everything takes its place. */
const cluster = () => {
  const store = memoryEventStore();
  let appends = 0;
  let lost = 0;
  /** Every seventh append does not happen, or does and nobody hears of it; an instance dies with it. */
  const append: typeof store.append = async (...what) => {
    appends += 1;
    const fate = appends % 14;
    if (fate !== 7 && fate !== 0) return store.append(...what);
    lost += 1;
    replace(appends);
    if (fate === 0) await store.append(...what);
    throw new StoreUnavailableError('no answer');
  };
  const handler = () =>
    commandHandler(creditAccount, {
      store: { ...store, append },
      logger: silentLogger,
      pause: () => new Promise(setImmediate),
    });
  const running = Array.from({ length: INSTANCES }, handler);
  const send = async (n: number, command: CreditCommand): Promise<boolean> => {
    for (;;) {
      try {
        await running[n % INSTANCES]!.handle(USER, command, cause);
        return true;
      } catch (error) {
        if (isDomainError(error) && error.errorType !== 'service_unavailable') return false;
        if (!isDomainError(error) && !(error instanceof StoreUnavailableError)) throw error;
      }
    }
  };
  const replace = (n: number): void => {
    running[n % INSTANCES] = handler();
  };
  return { store, send, lost: () => lost };
};

const accountEvents = (store: ReturnType<typeof memoryEventStore>): readonly CreditAccountEvent[] =>
  store
    .log()
    .filter(({ stream }) => stream === `creditAccount-${USER}`)
    .map(({ type, data }) => ({ type, data }) as CreditAccountEvent);

const charged = (events: readonly CreditAccountEvent[]): bigint =>
  events.reduce(
    (sum, event) => (event.type === 'ReservationCaptured' ? sum + BigInt(event.data.metered.cost) : sum),
    0n,
  );

describe('10,000 requests at the same time on a balance for 100', () => {
  it('overshoot it by exactly 0, on three instances that die and lose answers', async function () {
    this.timeout(60_000);
    const { store, send, lost } = cluster();
    await send(0, openAccount(BALANCE));
    const served = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, n) => {
        const id = `r${n}`;
        if (!(await send(n, reserve(id, PRICE, 1)))) return 0;
        await send(n + 1, capture(id, PRICE, 2));
        await send(n + 2, capture(id, PRICE, 3));
        return 1;
      }),
    );
    const events = accountEvents(store);
    expect(served.filter((one) => one === 1)).to.have.length(Number(BALANCE / PRICE));
    expect(charged(events)).to.equal(BALANCE);
    const { decider } = creditAccount;
    const state = fold(decider, decider.initial, events);
    expect(totalsOf(state)).to.deep.equal({ paid: '0', promo: '0', held: '0', shortfall: '0' });
    expect(lost(), 'answers were lost').to.be.greaterThan(0);
    events.reduce((before, event) => checked(before, [event]), decider.initial);
  });
});
