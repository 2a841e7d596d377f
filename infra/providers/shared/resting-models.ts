import type { Clock } from '../../../src/kernel/clock.ts';
import { UpstreamError, type UpstreamFailure } from '../../../src/kernel/upstream.ts';

/** The models of one upstream that are not called for a while, because it asked so with `Retry-After`. */
export type RestingModels = Readonly<{
  /** Throws UpstreamError with what is left of the rest while a model is not to be called. */
  check: (model: string) => void;
  /** Takes note of how long a refusal asks to wait. */
  note: (model: string, refusal: UpstreamError) => void;
}>;

type Deps = Readonly<{
  provider: string;
  /** Nobody is believed for longer, so that one odd answer does not take a model away. */
  longestRestMs: number;
  clock: Clock;
}>;

type Rest = Readonly<{ until: number; kind: UpstreamFailure }>;

const ASKS_FOR_REST: ReadonlySet<UpstreamFailure> = new Set(['rate_limit', 'overloaded']);

/** All models are awake. Limits are the provider's for each model: one that is busy says nothing of the others. */
export const restingModels = ({ provider, longestRestMs, clock }: Deps): RestingModels => {
  const rests = new Map<string, Rest>();
  return {
    check: (model) => {
      const rest = rests.get(model);
      if (rest === undefined) return;
      const retryAfterMs = rest.until - clock().getTime();
      if (retryAfterMs > 0) {
        const providerMessage = 'asked to be left alone for a while';
        throw new UpstreamError({ provider, kind: rest.kind, retryAfterMs, providerMessage, neverReached: true });
      }
      rests.delete(model);
    },
    note: (model, { kind, retryAfterMs = 0, neverReached }) => {
      // What was refused here, before it was sent, is no word of the provider's.
      if (neverReached || retryAfterMs <= 0 || !ASKS_FOR_REST.has(kind)) return;
      rests.set(model, { kind, until: clock().getTime() + Math.min(retryAfterMs, longestRestMs) });
    },
  };
};
