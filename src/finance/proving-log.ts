import { reconciliationId } from '../../commands/reconciliation/index.ts';
import type { ReconciliationCommand } from '../../commands/reconciliation/reconciliation.commands.ts';
import type { Reconciliation, ReconciliationRun } from '../../commands/reconciliation/reconciliation.decider.ts';
import type { Discrepancy, ReconciliationEvent } from '../events/reconciliation/reconciliation.events.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import type { CommandHandler } from '../kernel/command-handler.ts';
import { positionText, type EventStore } from '../kernel/event-store.ts';
import type { QueryRunner } from '../kernel/query.ts';
import { reconciled } from './reconciled.ts';
import { replayedBooks } from './replayed-books.ts';
import { verifiedLog } from './verified-log.ts';

type Deps = Readonly<{
  store: Pick<EventStore, 'readAll' | 'head'>;
  queries: Pick<QueryRunner, 'asSystem'>;
  reconciliations: CommandHandler<Reconciliation, ReconciliationCommand, ReconciliationEvent>;
  /** Between looks at read models that do not agree. */
  pause: () => Promise<void>;
  newId: () => string;
  clock: Clock;
}>;

/** So many discrepancies are told one by one. */
const MOST_TOLD = 100;

/**
 * Proves everything, up to where the log ends now, and writes down what came of it: that no event was altered, that accounts and
 * books follow from the events, and that the read models agree. Reads the whole log twice and holds every account in memory.
 */
export const provingLog = async (deps: Deps): Promise<ReconciliationRun> => {
  const { store, queries, reconciliations, pause, newId, clock } = deps;
  const began = clock();
  const [id, run, at] = [reconciliationId(began), newId(), isoOf(began)];
  const head = await store.head();
  const asOfPos = head === undefined ? '0' : positionText(head);
  const cause = { at, correlationId: run, causationId: run, actor: { kind: 'job', id: 'reconciliation' } } as const;
  const handle = (command: ReconciliationCommand) => reconciliations.handle(id, command, cause);
  await handle({ type: 'StartReconciliation', key: `start:${run}`, data: { run, asOfPos, at } });

  const commit = BigInt(asOfPos);
  const log = await verifiedLog(store, { until: commit });
  const books = await replayedBooks(store, { kind: 'position', commit });
  const disagreements = await reconciled({ queries, pause });
  const nothing = { expected: null, actual: null };
  const found: readonly Discrepancy[] = [
    ...log.faults.map(({ stream, revision, what }) => {
      return { kind: 'log', subject: `${stream}@${revision}`, what, ...nothing } as const;
    }),
    ...books.unbalanced.map((where) => {
      return { kind: 'books', subject: where, what: 'the entry does not balance', ...nothing } as const;
    }),
    ...books.discrepancies.map(({ where, what }) => ({ kind: 'books', subject: where, what, ...nothing }) as const),
    ...disagreements.map(({ userId, what, one, other }) => {
      return { kind: 'read_models', subject: userId, what, expected: one, actual: other } as const;
    }),
  ];
  const proven = {
    asOfPos,
    events: log.events,
    seals: log.seals.seals,
    accounts: books.accountsReplayed,
    issues: found.length,
    trialBalanceHash: books.hash,
    digest: log.digest,
  };
  const data = { run, found: found.slice(0, MOST_TOLD), proven, at: isoOf(clock()) };
  const { state } = await handle({ type: 'CompleteReconciliation', key: `complete:${run}`, data });
  const told = state.runs.find((one) => one.run === run);
  if (told === undefined) throw new Error('the proof that was written down is not there');
  return told;
};
