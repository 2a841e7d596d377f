import { reconciliationId } from '../../commands/reconciliation/index.ts';
import type { ReconciliationCommand } from '../../commands/reconciliation/reconciliation.commands.ts';
import type { Reconciliation, ReconciliationRun } from '../../commands/reconciliation/reconciliation.decider.ts';
import { isSealable } from '../events/audit-anchor/audit-anchor.events.ts';
import type {
  Discrepancy,
  DiscrepancyKind,
  Proven,
  ReconciliationEvent,
} from '../events/reconciliation/reconciliation.events.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { CommandHandler } from '../kernel/command-handler.ts';
import { isStoreUnavailable, positionText, type EventStore } from '../kernel/event-store.ts';
import type { QueryRunner } from '../kernel/query.ts';
import { placeOf } from '../kernel/seal.ts';
import { newestSeal } from './inclusion-proof.ts';
import { reconciled } from './reconciled.ts';
import { replayedBooks } from './replayed-books.ts';
import { mustBeSealedBefore, verifiedLog } from './verified-log.ts';

type Deps = Readonly<{
  store: Pick<EventStore, 'read' | 'readAll' | 'head'>;
  queries: Pick<QueryRunner, 'asSystem'>;
  /** The read models that have not come as far as a commit position. */
  behind: (commit: bigint) => Promise<readonly string[]>;
  reconciliations: CommandHandler<Reconciliation, ReconciliationCommand, ReconciliationEvent>;
  /** Between looks at what is not ready yet. */
  pause: () => Promise<void>;
  newId: () => string;
  clock: Clock;
}>;

/** So many discrepancies are told one by one. */
const MOST_TOLD = 100;
/** How often is looked whether seals and read models have come as far as they must. */
const LOOKS = 120;

type Found = readonly Discrepancy[];
/** What a check came to: the part of its report that is written down, and what it found. */
type Checked<T> = Readonly<{ said: T; found: Found }>;

const one = (kind: DiscrepancyKind, subject: string, what: string): Discrepancy => {
  return { kind, subject, what, expected: null, actual: null };
};

/**
 * Runs a check over the log. What it cannot get over is one of the things that are wrong: an event that was altered may be
 * no event any more, and must not keep the others from being told.
 */
const checked = async <T>(
  kind: DiscrepancyKind,
  otherwise: T,
  work: () => Promise<Checked<T>>,
): Promise<Checked<T>> => {
  try {
    return await work();
  } catch (error) {
    if (isStoreUnavailable(error)) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return { said: otherwise, found: [one(kind, 'log', `cannot be checked: ${why}`)] };
  }
};

const logCheck = ({ store }: Deps, until: bigint, sealedBefore: Date) => {
  const nothing = { events: 0, digest: '', seals: 0, sealedThrough: null, keys: [] };
  type Said = Pick<Proven, keyof typeof nothing>;
  return checked<Said>('log', nothing, async () => {
    const { events, digest, seals, faults } = await verifiedLog(store, { sealedBefore, until });
    const { seals: count, sealedThrough, keys } = seals;
    return {
      said: { events, digest, seals: count, sealedThrough, keys },
      found: faults.map(({ stream, revision, what }) => one('log', `${stream}@${revision}`, what)),
    };
  });
};

const booksCheck = ({ store }: Deps, commit: bigint) =>
  checked('books', { accounts: 0, trialBalanceHash: '' }, async () => {
    const books = await replayedBooks(store, { kind: 'position', commit });
    return {
      said: { accounts: books.accountsReplayed, trialBalanceHash: books.hash },
      found: [
        ...books.unbalanced.map((where) => one('books', where, 'the entry does not balance')),
        ...books.discrepancies.map(({ where, what }) => one('books', where, what)),
      ],
    };
  });

/** Waits until everything that was written before a moment is sealed; a server that has just begun is about to do it. */
const untilSealed = async ({ store, pause }: Deps, before: Date): Promise<void> => {
  for (let look = 0; look < LOOKS; look += 1) {
    const seal = await newestSeal(store);
    const page = await store.readAll({ ...(seal === undefined ? {} : { from: placeOf(seal.to) }), maxCount: 100 });
    const oldest = page.find(isSealable);
    if (oldest === undefined || oldest.created >= before) return;
    await pause();
  }
};

/** Waits until the read models show a position: one that is behind differs from the others, and nothing is wrong with it. */
const untilShown = async ({ behind, pause }: Deps, commit: bigint): Promise<void> => {
  let names: readonly string[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    names = await behind(commit);
    if (names.length === 0) return;
    await pause();
  }
  throw new Error(`these read models are behind: ${names.join(', ')}`);
};

/**
 * Proves everything, up to where the log ends now, and writes down what came of it: that no event was altered, that accounts
 * and books follow from the events, and that the read models agree. Reads the whole log twice and holds every account in
 * memory. Rejects when a part is away or behind: the proof stays one that has begun.
 */
export const provingLog = async (deps: Deps): Promise<ReconciliationRun> => {
  const { store, queries, reconciliations, pause, newId, clock } = deps;
  const sealedBefore = mustBeSealedBefore(clock());
  await untilSealed(deps, sealedBefore);
  const began = clock();
  const [id, run, at] = [reconciliationId(began), newId(), isoOf(began)];
  const head = await store.head();
  const asOfPos = head === undefined ? '0' : positionText(head);
  const cause = { at, correlationId: run, causationId: run, actor: { kind: 'job', id: 'reconciliation' } } as const;
  const handle = (command: ReconciliationCommand) => reconciliations.handle(id, command, cause);
  await handle({ type: 'StartReconciliation', key: `start:${run}`, data: { run, asOfPos, at } });

  const commit = BigInt(asOfPos);
  const log = await logCheck(deps, commit, sealedBefore);
  const books = await booksCheck(deps, commit);
  await untilShown(deps, commit);
  const disagreements = await reconciled({ queries, pause });
  const found: Found = [
    ...log.found,
    ...books.found,
    ...disagreements.map(({ userId, what, one: expected, other: actual }) => {
      return { kind: 'read_models', subject: userId, what, expected, actual } as const;
    }),
  ];
  const proven: Proven = { asOfPos, ...log.said, ...books.said, issues: found.length };
  const data = { run, found: found.slice(0, MOST_TOLD), proven, at: isoOf(clock()) };
  const { state } = await handle({ type: 'CompleteReconciliation', key: `complete:${run}`, data });
  const told = state.runs.find((each) => each.run === run);
  if (told === undefined) throw new Error('the proof that was written down is not there');
  return told;
};
