import type { EventStore } from '../kernel/event-store.ts';
import type { Seal } from '../kernel/seal.ts';
import { chainCheck, type ChainReport } from './chain-check.ts';
import { eventsOf } from './log-pages.ts';
import { sealCheck, type SealReport } from './seal-check.ts';

/** An event waits a minute for its seal, and longer where a log is sealed for the first time, in milliseconds. */
const SEALED_WITHIN_MS = 3_600_000;

/** What was written before this must be sealed by now. */
export const mustBeSealedBefore = (now: Date): Date => new Date(now.getTime() - SEALED_WITHIN_MS);

/** What a check of the whole log found; `faults` has those of the seals too. */
export type VerifiedLog = ChainReport & Readonly<{ seals: Omit<SealReport, 'faults'> }>;

type Options = Readonly<{
  /** Ids of the keys that may seal; none: any. */
  trusted?: readonly string[];
  /** Seals that were kept elsewhere. */
  kept?: readonly Seal[];
  /** What was written before this must be sealed; absent: nothing must. */
  sealedBefore?: Date;
  /** The commit position up to which is looked; absent: as far as the log goes. */
  until?: bigint;
}>;

/** Re-computes every hash of every stream, and checks every seal. */
export const verifiedLog = async (store: Pick<EventStore, 'readAll'>, options: Options = {}): Promise<VerifiedLog> => {
  const chain = chainCheck();
  const seals = sealCheck(options);
  for await (const event of eventsOf(store, [], { until: options.until })) {
    chain.take(event);
    seals.take(event);
  }
  const { faults, ...sealed } = seals.report();
  const report = chain.report();
  return { ...report, faults: [...report.faults, ...faults], seals: sealed };
};
