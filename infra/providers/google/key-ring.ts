import { isUpstreamError, type ChatUpstream, type UpstreamRequest } from '../../../src/kernel/upstream.ts';

const OTHER_KEY_MAY_DO: ReadonlySet<number> = new Set([401, 403, 429]);

/** True for a failure that is the key's or the moment's. Never for a call that may still run at the provider. */
const mayDoWithOtherKey = (error: unknown): boolean => {
  if (!isUpstreamError(error)) return false;
  const { status, kind, neverReached } = error;
  // A key that is no good is refused with a 400 here.
  if (status !== undefined) return OTHER_KEY_MAY_DO.has(status) || status >= 500 || kind === 'auth';
  return neverReached && kind !== 'aborted';
};

/** Whom a request is made for. */
type Caller = Pick<UpstreamRequest, 'affinity' | 'requestId'>;

/** Where a request begins: the same for all of a caller, whose prompts the key's caches know. */
const startOf = ({ affinity, requestId }: Caller, keys: number): number => {
  let hash = 0;
  for (const char of affinity ?? requestId) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0;
  return hash % keys;
};

/**
 * Makes calls with several keys, each of which is an upstream of its own; at least one. A call that a key cannot make
 * is made with the next one, once round; then the last failure stands.
 */
export const withKeys =
  <U>(upstreams: readonly [U, ...U[]]) =>
  async <T>(request: Caller, call: (upstream: U) => Promise<T>): Promise<T> => {
    const start = startOf(request, upstreams.length);
    const [begin = upstreams[0], ...rest] = [...upstreams.slice(start), ...upstreams.slice(0, start)];
    const tryNext = async (upstream: U, left: readonly U[]): Promise<T> => {
      try {
        return await call(upstream);
      } catch (error) {
        const [next, ...others] = left;
        if (next === undefined || !mayDoWithOtherKey(error)) throw error;
        return tryNext(next, others);
      }
    };
    return tryNext(begin, rest);
  };

/** One provider of chat models, reached with several keys. */
export const keyRing = (upstreams: readonly [ChatUpstream, ...ChatUpstream[]]): ChatUpstream => {
  const [first] = upstreams;
  const around = withKeys(upstreams);
  return {
    provider: first.provider,
    check: (request) => first.check?.(request),
    stream: (request, options) => around(request, (upstream) => upstream.stream(request, options)),
    complete: (request, options) => around(request, (upstream) => upstream.complete(request, options)),
    close: async () => {
      await Promise.all(upstreams.map((upstream) => upstream.close()));
    },
  };
};
