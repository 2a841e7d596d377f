import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  type ICircuitBreakerOptions,
} from 'cockatiel';
import type { Clock } from '../../../src/kernel/clock.ts';
import type { Logger } from '../../../src/kernel/logger.ts';
import { isPassingFailure, isUpstreamError, UpstreamError } from '../../../src/kernel/upstream.ts';

export type BreakerLimits = Readonly<{
  /** So many passing failures in a row, and the upstream is left alone. */
  failuresToOpen: number;
  /** For so long; then one call tries it. */
  openMs: number;
}>;

/** Leaves an upstream alone that fails again and again. */
export type Breaker = Readonly<{
  /** Throws UpstreamError `overloaded` while the upstream is left alone. */
  check: () => void;
  /** Makes a call; throws like `check` at once when it may not. */
  run: <T>(call: () => Promise<T>) => Promise<T>;
  /** Counts a failure of a call that had begun well. */
  note: (failure: unknown) => void;
}>;

type Deps = BreakerLimits & Readonly<{ provider: string; clock: Clock; logger: Logger }>;

const isAborted = (error: unknown): boolean => isUpstreamError(error) && error.kind === 'aborted';

/** A breaker for one upstream. */
export const upstreamBreaker = ({ provider, failuresToOpen, openMs, clock, logger }: Deps): Breaker => {
  let isOpen = false;
  let changedAt = 0;
  const now = (): number => clock().getTime();
  const options: ICircuitBreakerOptions = {
    halfOpenAfter: openMs,
    breaker: new ConsecutiveBreaker(failuresToOpen),
  };
  const circuit = circuitBreaker(
    handleWhen(
      (error) =>
        (isUpstreamError(error) && isPassingFailure(error)) ||
        // A trial whose client left has shown nothing.
        (isAborted(error) && circuit.state === CircuitState.HalfOpen),
    ),
    options,
  );
  circuit.onStateChange(() => {
    changedAt = now();
  });
  circuit.onBreak(() => {
    // A trial that fails opens it again; that is no news.
    if (!isOpen) logger.warn({ provider, failures: failuresToOpen, openMs }, 'a provider fails; it is left alone');
    isOpen = true;
  });
  circuit.onReset(() => {
    isOpen = false;
    logger.info({ provider }, 'a provider answers again');
  });

  const leftAlone = (): UpstreamError =>
    new UpstreamError({
      provider,
      kind: 'overloaded',
      retryAfterMs: Math.max(1, changedAt + openMs - now()),
      providerMessage: 'left alone after failures in a row',
      neverReached: true,
    });

  const isTrying = (): boolean => circuit.state === CircuitState.HalfOpen;
  const check = (): void => {
    // The library would let others wait for the trial; and a trial that hangs is not waited for.
    if ((circuit.state === CircuitState.Open || isTrying()) && now() - changedAt < openMs) throw leftAlone();
  };

  return {
    check,
    run: async (call) => {
      check();
      if (isTrying()) return call();
      try {
        return await circuit.execute(call);
      } catch (error) {
        throw error instanceof BrokenCircuitError ? leftAlone() : error;
      }
    },
    note: (failure) => {
      if (circuit.state !== CircuitState.Closed || isAborted(failure)) return;
      circuit.execute(() => Promise.reject(failure as Error)).catch(() => undefined);
    },
  };
};
