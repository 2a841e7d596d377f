import { fileURLToPath } from 'node:url';
import { reconciliationId } from '../../commands/reconciliation/index.ts';
import type { Proven } from '../events/reconciliation/reconciliation.events.ts';
import type { Reconciliation, ReconciliationRun } from '../../commands/reconciliation/reconciliation.decider.ts';
import { quietly, type ToolEnd } from '../../infra/audit/quiet-tool.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Job } from './jobs.ts';
import type { Parts } from './parts.ts';

type Deps = Readonly<{
  reconciliations: Readonly<{ state: (id: string) => Promise<Reconciliation> }>;
  store: Pick<EventStore, 'readAll'>;
  /** Proves everything, until `signal` aborts. */
  prove: (signal: AbortSignal) => Promise<ToolEnd>;
  mayRun: () => boolean;
  /** Aborts when the process ends. */
  stopping: AbortSignal;
  clock: Clock;
  logger: Logger;
}>;

const EVERY_MS = 10 * 60_000;
/** From this hour of the day on, in UTC. */
const HOUR = 2;
/** One that has not come to its end is begun anew after so long, in milliseconds. */
const AGAIN_MS = 6 * 3_600_000;

const FINANCE = fileURLToPath(new URL('../cli/finance.ts', import.meta.url));

/** The tool that proves everything, over the parts of this server. */
export const provingTool =
  (
    { eventStoreUrl, databaseUrl }: Pick<Parts, 'eventStoreUrl' | 'databaseUrl'>,
    environment: Readonly<Record<string, string | undefined>>,
  ): Deps['prove'] =>
  (signal) => {
    const env = { ...environment, EVENTSTORE_URL: eventStoreUrl, DATABASE_URL: databaseUrl };
    return quietly({ program: FINANCE, args: ['prove', '--json'], env }, signal);
  };

const isUnderWay = ({ proven, startedAt }: ReconciliationRun, now: Date): boolean =>
  proven === null && now.getTime() - Date.parse(startedAt) < AGAIN_MS;

/** What the tool has printed; undefined when it broke off. */
const provenIn = (said: string): Proven | undefined => {
  try {
    return (JSON.parse(said) as ReconciliationRun).proven ?? undefined;
  } catch {
    return undefined;
  }
};

/** Proves everything once a day, at night: finance finds what came of it in the log, operators among what the server says. */
export const nightlyProof = (deps: Deps): Job => {
  const { reconciliations, store, prove, mayRun, stopping, clock, logger } = deps;

  /** Nothing has to be proven on the first day. */
  const hasHistory = async (now: Date): Promise<boolean> => {
    const [first] = await store.readAll({ maxCount: 1 });
    return first !== undefined && reconciliationId(first.created) < reconciliationId(now);
  };

  const isDue = async (now: Date): Promise<boolean> => {
    if (now.getUTCHours() < HOUR) return false;
    const { runs } = await reconciliations.state(reconciliationId(now));
    const tonight = runs.filter(({ startedAt }) => new Date(startedAt).getUTCHours() >= HOUR);
    if (tonight.some((run) => run.proven !== null || isUnderWay(run, now))) return false;
    return hasHistory(now);
  };

  const run = async (): Promise<void> => {
    if (!(await isDue(clock()))) return;
    const { code, said, complained } = await prove(stopping);
    if (stopping.aborted) return;
    const proven = provenIn(said);
    if (proven === undefined) {
      logger.warn({ code, complained }, 'the nightly proof did not come to its end; it is begun anew later');
      return;
    }
    if (proven.issues === 0) logger.info({ ...proven }, 'everything is proven to be as it should be');
    else logger.error({ ...proven }, 'not everything is as it should be; the log tells what');
  };

  return { name: 'nightly-proof', everyMs: EVERY_MS, mayRun, run };
};
