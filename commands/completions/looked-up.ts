import type { Logger } from '../../src/kernel/logger.ts';
import { isPassingFailure, isUpstreamError, type UsageLookUp, type UsageReport } from '../../src/kernel/upstream.ts';

export type LookUpDeps = Readonly<{ logger: Logger; pause: (milliseconds: number) => Promise<void> }>;

type Asked = Readonly<{
  requestId: string;
  upstreamId: string;
  lookUp: UsageLookUp;
  limitSeconds: number;
  /** Ends the asking before its time. */
  hurry: AbortSignal;
}>;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

/**
 * What the provider says afterwards that an answer used; undefined when it did not say so in time. Asked again and again:
 * providers need a moment until they know. Never rejects.
 */
export const lookedUp = async (deps: LookUpDeps, asked: Asked): Promise<UsageReport | undefined> => {
  const { requestId, upstreamId, lookUp, limitSeconds, hurry } = asked;
  const signal = AbortSignal.any([AbortSignal.timeout(limitSeconds * 1_000), hurry]);
  const over = Promise.withResolvers<undefined>();
  const end = (): void => over.resolve(undefined);
  signal.addEventListener('abort', end, { once: true });

  const askedOnce = async (): Promise<UsageReport | 'again' | undefined> => {
    try {
      return (await Promise.race([lookUp(upstreamId, { signal }), over.promise])) ?? 'again';
    } catch (error) {
      deps.logger.warn({ requestId, err: error }, 'the provider does not say what the answer used');
      return isUpstreamError(error) && isPassingFailure(error) ? 'again' : undefined;
    }
  };

  const isOver = (): boolean => signal.aborted;
  try {
    for (let wait = FIRST_PAUSE_MS; !isOver(); wait = Math.min(LONGEST_PAUSE_MS, wait * 2)) {
      const found = await askedOnce();
      if (found !== 'again') return found;
      await Promise.race([deps.pause(wait), over.promise]);
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', end);
  }
};
