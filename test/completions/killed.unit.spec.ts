import { expect } from 'chai';
import { settleAbandonedHolds } from '../../commands/credits/housekeeping.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
import { eventually } from '../support/eventually.ts';
import { ada } from '../support/given-http.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { attempt, givenAttempts, listening, PROMPT_TOKENS, type ScriptedAttempt } from './given-attempts.ts';
import { finished, started, text, used, type Step } from './scripted-upstream.ts';

const LEASE_MS = 60_000;
const never = (): Promise<never> => new Promise(() => undefined);

/** A store as a process sees it that is killed: from then on it hears nothing any more. */
const mortal = (store: MemoryEventStore) => {
  let dead = false;
  let before: string | undefined;
  let after: string | undefined;
  const seen: EventStore = {
    ...store,
    read: (...args) => (dead ? never() : store.read(...args)),
    append: async (stream, expected, events) => {
      const types = events.map(({ type }) => type);
      if (before !== undefined && types.includes(before)) dead = true;
      if (dead) return never();
      const appended = await store.append(stream, expected, events);
      if (after !== undefined && types.includes(after)) dead = true;
      return dead ? never() : appended;
    },
  };
  return {
    seen: seen as MemoryEventStore,
    isDead: () => dead,
    kill: () => void (dead = true),
    killBefore: (type: string) => void (before = type),
    killAfter: (type: string) => void (after = type),
  };
};

type Mortal = ReturnType<typeof mortal>;

const openHolds = (store: MemoryEventStore): readonly string[] => {
  const open = new Set<string>();
  for (const { type, data } of store.log()) {
    const { reservationId } = data as { reservationId?: string };
    if (reservationId === undefined) continue;
    if (type === 'FundsReserved') open.add(reservationId);
    else if (type !== 'ReservationExtended') open.delete(reservationId);
  }
  return [...open];
};

/** Another process comes up after the lease is over and looks for what was left behind. */
const comeBack = async (store: MemoryEventStore): Promise<number> => {
  const { logger } = memoryLogger();
  const credits = commandHandler(creditAccount, { store, logger, pause: () => Promise.resolve() });
  return settleAbandonedHolds({
    credits,
    logger,
    clock: () => new Date(Date.now() + LEASE_MS),
    graceMs: 0,
    abandoned: () => Promise.resolve(openHolds(store).map((reservationId) => ({ userId: ada.userId, reservationId }))),
  })();
};

const whole: readonly Step[] = [started, text('one two'), used(PROMPT_TOKENS, 2), finished];
const endless: readonly Step[] = [started, text('one two'), 'silence'];

type Life = Readonly<{ process: Mortal; calls: () => number; types: () => readonly string[] }>;

/** Where the process is killed, and what must be left when another one has come. */
const STEPS: readonly Readonly<{
  label: string;
  first?: ScriptedAttempt;
  /** Arms the kill before the request begins. */
  arm?: (process: Mortal) => void;
  /** Kills it when the time has come. */
  when?: (life: Life) => boolean;
  leaves?: boolean;
  types: readonly string[];
  charged: bigint;
}>[] = [
  {
    label: 'before the hold',
    arm: ({ killBefore }) => killBefore('FundsReserved'),
    types: [],
    charged: 0n,
  },
  {
    label: 'after the hold, before the provider is called',
    arm: ({ killAfter }) => killAfter('FundsReserved'),
    types: ['FundsReserved', 'ReservationLeaseExpired'],
    charged: 0n,
  },
  {
    label: 'before the provider accepts',
    first: attempt('openai', [{ say: [], accept: never() }]),
    when: ({ calls }) => calls() === 1,
    types: ['FundsReserved', 'ReservationLeaseExpired'],
    charged: 0n,
  },
  {
    label: 'in the middle, after a checkpoint',
    first: attempt('openai', [{ say: endless }]),
    when: ({ types }) => types().includes('ReservationExtended'),
    types: ['FundsReserved', 'ReservationExtended', 'ReservationCaptured'],
    charged: 503n,
  },
  {
    label: 'while an answer that was left is read to its end',
    first: attempt('google', [{ say: endless }], { policy: 'drain' }),
    leaves: true,
    when: ({ types }) => types().includes('ReservationExtended'),
    types: ['FundsReserved', 'ReservationExtended', 'ReservationCaptured'],
    charged: 503n,
  },
  {
    label: 'while the provider is asked what it counted',
    first: attempt('openrouter', [{ say: endless }], { policy: 'look_up', lookUp: never }),
    leaves: true,
    when: ({ types }) => types().includes('ReservationExtended'),
    types: ['FundsReserved', 'ReservationExtended', 'ReservationCaptured'],
    charged: 503n,
  },
  {
    label: 'before the charge',
    arm: ({ killBefore }) => killBefore('ReservationCaptured'),
    types: ['FundsReserved', 'ReservationLeaseExpired'],
    charged: 0n,
  },
  {
    label: 'after the charge, before the client is told',
    arm: ({ killAfter }) => killAfter('ReservationCaptured'),
    types: ['FundsReserved', 'ReservationCaptured'],
    charged: 503n,
  },
];

describe('a process that is killed', () => {
  for (const { label, first = attempt('openai', [{ say: whole }]), arm, when, leaves, types, charged } of STEPS) {
    it(`${label}, leaves an account that comes right`, async () => {
      const store = memoryEventStore();
      const process = mortal(store);
      const given = await givenAttempts([first], {
        store: process.seen,
        ...(types.includes('ReservationExtended') ? { firstRenewSeconds: 0.02, renewEverySeconds: 0.02 } : {}),
      });
      const said = (): readonly string[] =>
        store
          .log()
          .slice(2)
          .map(({ type }) => type);
      arm?.(process);
      let told = false;
      const leaving = new AbortController();
      const sink = listening();
      void given.begin(true, leaving.signal).then(async (running) => {
        await running.deliver(sink);
        told = true;
      });
      if (leaves === true) {
        await eventually('some words', () => (sink.words() === '' ? undefined : true));
        leaving.abort();
      }
      await eventually('the kill', () => {
        if (when?.({ process, calls: () => first.calls(), types: said }) === true) process.kill();
        return process.isDead() ? true : undefined;
      });
      expect(told).to.equal(false);

      await comeBack(store);
      expect(await comeBack(store), 'a second look finds nothing').to.equal(0);
      // How often a hold was renewed is a matter of time.
      const kinds = said().filter((type, place, all) => type !== 'ReservationExtended' || all[place - 1] !== type);
      expect(kinds).to.deep.equal(types);
      expect(openHolds(store)).to.deep.equal([]);
      const { after } = store.log().at(-1)!.data as CreditAccountEvent['data'];
      expect({ held: after.held, promo: after.promo }).to.deep.equal({
        held: '0',
        promo: (5_000_000n - charged).toString(),
      });
      void given.completions.shutdown({ graceMs: 0, limitMs: 0 });
    });
  }
});
