import type { Logger } from '../../src/kernel/logger.ts';
import type { UsageLookUp, UsageReport } from '../../src/kernel/upstream.ts';

export type LookUpDeps = Readonly<{ logger: Logger; pause: (milliseconds: number) => Promise<void> }>;

type Asked = Readonly<{ requestId: string; upstreamId: string; lookUp: UsageLookUp; limitSeconds: number }>;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

/** What the provider says afterwards that an answer used; undefined when it did not say so in time. */
export const lookedUp = async (deps: LookUpDeps, asked: Asked): Promise<UsageReport | undefined> => {
  const { requestId, upstreamId, lookUp, limitSeconds } = asked;
  const signal = AbortSignal.timeout(limitSeconds * 1_000);
  const isLate = (): boolean => signal.aborted;
  for (let wait = FIRST_PAUSE_MS; !isLate(); wait = Math.min(LONGEST_PAUSE_MS, wait * 2)) {
    try {
      const found = await lookUp(upstreamId, { signal });
      if (found !== undefined) return found;
    } catch (error) {
      deps.logger.warn({ requestId, err: error }, 'the provider does not say what the answer used');
    }
    if (!isLate()) await deps.pause(wait);
  }
  return undefined;
};
