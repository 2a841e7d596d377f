import type { ServedBy } from '../../src/events/credit-account/credit-account.events.ts';
import type { EndedBy, FinishReason } from '../../src/kernel/usage.ts';
import type { Attempts } from './attempts.ts';
import type { Ended, Ending } from './ending.ts';
import type { Ledger, LedgerDeps } from './ledger.ts';
import { lookedUp } from './looked-up.ts';
import type { Plan } from './plan.ts';
import type { Reading, UsageMeter } from './usage-meter.ts';

type Deps = LedgerDeps &
  Readonly<{ plan: Plan; ledger: Ledger; meter: UsageMeter; attempts: Attempts; startedAt: Date }>;

/** Settles one request; never rejects. */
export type Settling = ((ending: Ending) => Promise<Ended>) &
  Readonly<{
    /** What a client is told of an end whose charge is still being worked out. */
    told: (how: Ended['how'], endedBy: EndedBy) => Ended;
    /** No provider is asked what it counted, from now on. */
    hurry: () => void;
    /** True once the end is being written down: the hold needs no care any more. */
    isWriting: () => boolean;
  }>;

/** An abort that needs no stack is cheap. */
const NO_TIME = 'the server is going down';

const NOTHING = { finish: null, usage: undefined, charged: 0n, estimated: false } as const;

/** Writes down what a request cost, or gives its money back. */
export const settling = (deps: Deps): Settling => {
  const { plan, ledger, meter, attempts, startedAt, clock, logger } = deps;
  const { requestId } = plan;
  const hurrying = new AbortController();
  let writing = false;

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

  /** What was used: the provider's final word, when it was left its word on being asked, or our own count. */
  const reading = async ({ endedBy }: Ending): Promise<Reading> => {
    await meter.count();
    const known = meter.read();
    const { disconnect, lookUp } = attempts.current();
    const upstreamId = meter.upstreamId();
    const wasLeft = endedBy === 'client' || endedBy === 'cancel';
    const mayAsk = wasLeft && disconnect.policy === 'look_up' && !hurrying.signal.aborted;
    if (!known.estimated || !mayAsk || lookUp === undefined || upstreamId === null) return known;
    const { limitSeconds } = disconnect;
    const found = await lookedUp(deps, { requestId, upstreamId, lookUp, limitSeconds, hurry: hurrying.signal });
    return found === undefined ? known : meter.priced(found);
  };

  const charge = async (ending: Ending): Promise<Ended> => {
    const { how, endedBy, failure } = ending;
    const { metered, estimated } = await reading(ending);
    const finish = finishOf(ending);
    const durationMs = Math.max(0, clock().getTime() - startedAt.getTime());
    const upstreamId = meter.upstreamId();
    const outcome = { metered, estimated, finish, endedBy, upstreamId, durationMs, servedBy: servedBy() };
    writing = true;
    const charged = await ledger.capture(outcome);
    const told = { how, endedBy, finish, usage: metered.usage, charged, estimated, failure };
    return { ...told, fallbackAttempted: fallbackAttempted() };
  };

  const giveBack = async ({ how, endedBy, failure, isStopped }: Ending): Promise<Ended> => {
    writing = true;
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
  const hurry = (): void => hurrying.abort(NO_TIME);
  return Object.assign(settle, { told, hurry, isWriting: () => writing });
};
