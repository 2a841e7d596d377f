import type { ServedBy } from '../../src/events/credit-account/credit-account.events.ts';
import type { EndedBy, FinishReason } from '../../src/kernel/usage.ts';
import type { Attempts } from './attempts.ts';
import type { Ledger, LedgerDeps } from './ledger.ts';
import { lookedUp } from './looked-up.ts';
import type { Plan } from './plan.ts';
import type { Ended } from './running-completion.ts';
import type { Reading, UsageMeter } from './usage-meter.ts';

type Deps = LedgerDeps &
  Readonly<{ plan: Plan; ledger: Ledger; meter: UsageMeter; attempts: Attempts; startedAt: Date }>;

/** How a request ended, before its money is settled. */
type Ending = Pick<Ended, 'how' | 'endedBy' | 'failure'> &
  Readonly<{
    /** True when something was used that has to be paid. */
    isConsumed: boolean;
    /** True when it was ended from outside. */
    isStopped: boolean;
  }>;

/** Settles one request; never rejects. */
export type Settling = ((ending: Ending) => Promise<Ended>) &
  Readonly<{
    /** What a client is told of an end whose charge is still being worked out. */
    told: (how: Ended['how'], endedBy: EndedBy) => Ended;
  }>;

const NOTHING = { finish: null, usage: undefined, charged: 0n, estimated: false } as const;

/** Writes down what a request cost, or gives its money back. */
export const settling = (deps: Deps): Settling => {
  const { plan, ledger, meter, attempts, startedAt, clock, logger } = deps;
  const { requestId } = plan;

  const fallbackAttempted = (): boolean =>
    attempts.failed().some(({ provider }) => provider !== attempts.current().provider);

  const servedBy = (): ServedBy => {
    const { provider, model, disconnect } = attempts.current();
    return { provider, model, onDisconnect: disconnect.policy, failed: attempts.failed() };
  };

  const finishOf = ({ how, endedBy }: Ending): FinishReason | null => {
    if (endedBy === 'credit') return 'length';
    return meter.finish() ?? (how === 'failed' ? 'error' : null);
  };

  /** What was used: the provider's final word, its word on being asked, or our own count. */
  const reading = async ({ endedBy }: Ending): Promise<Reading> => {
    await meter.count();
    const known = meter.read();
    const { disconnect, lookUp } = attempts.current();
    const upstreamId = meter.upstreamId();
    const mayAsk = disconnect.policy === 'look_up' && endedBy !== 'shutdown';
    if (!known.estimated || !mayAsk || lookUp === undefined || upstreamId === null) return known;
    const { limitSeconds } = disconnect;
    const found = await lookedUp(deps, { requestId, upstreamId, lookUp, limitSeconds });
    return found === undefined ? known : meter.priced(found);
  };

  const charge = async (ending: Ending): Promise<Ended> => {
    const { how, endedBy, failure } = ending;
    const { metered, estimated } = await reading(ending);
    const finish = finishOf(ending);
    const durationMs = Math.max(0, clock().getTime() - startedAt.getTime());
    const upstreamId = meter.upstreamId();
    const outcome = { metered, estimated, finish, endedBy, upstreamId, durationMs, servedBy: servedBy() };
    const charged = await ledger.capture(outcome);
    const told = { how, endedBy, finish, usage: metered.usage, charged, estimated, failure };
    return { ...told, fallbackAttempted: fallbackAttempted() };
  };

  const giveBack = async ({ how, endedBy, failure, isStopped }: Ending): Promise<Ended> => {
    await ledger.release(isStopped ? 'cancelled_before_start' : 'provider_failed', attempts.failed());
    return { ...NOTHING, how, endedBy, failure, fallbackAttempted: fallbackAttempted() };
  };

  const settle = async (ending: Ending): Promise<Ended> => {
    try {
      return await (ending.isConsumed ? charge(ending) : giveBack(ending));
    } catch (error) {
      // The account refused its own reservation: nothing more can be written, so a person has to look.
      logger.error({ requestId, err: error }, 'a request could not be settled');
      const { how, endedBy, failure = error } = ending;
      return { ...NOTHING, how, endedBy, failure, estimated: true, fallbackAttempted: fallbackAttempted() };
    }
  };

  const told: Settling['told'] = (how, endedBy) => ({
    ...NOTHING,
    how,
    endedBy,
    failure: undefined,
    estimated: true,
    fallbackAttempted: fallbackAttempted(),
  });
  return Object.assign(settle, { told });
};
