import type { Event, IsoTime } from '../../kernel/message.ts';

/** A proof of the whole log has begun. `run` is its id, `asOfPos` the commit position up to which it looks. */
export type ReconciliationStarted = Event<
  'ReconciliationStarted',
  Readonly<{ run: string; asOfPos: string; at: IsoTime }>
>;

/** What is checked: hashes of streams and seals, what accounts and books say of each other, read models among themselves. */
export type DiscrepancyKind = 'log' | 'books' | 'read_models';

/** Something is not as it should be. `expected` and `actual` are null where `what` says it all. */
export type Discrepancy = Readonly<{
  kind: DiscrepancyKind;
  subject: string;
  what: string;
  expected: string | null;
  actual: string | null;
}>;

/** One of what was found; of very many the first hundred are told one by one. */
export type DiscrepancyFound = Event<'DiscrepancyFound', Discrepancy & Readonly<{ run: string; at: IsoTime }>>;

/**
 * What a proof came to. `sealedThrough` is a commit position, `keys` are the ids of those that have sealed. `digest` is over all
 * hashes in log order, `trialBalanceHash` over the sums of the books; both are empty when they could not be made.
 */
export type Proven = Readonly<{
  asOfPos: string;
  events: number;
  seals: number;
  sealedThrough: string | null;
  keys: readonly string[];
  accounts: number;
  issues: number;
  trialBalanceHash: string;
  digest: string;
}>;

/** The proof is done; right when there are no issues. */
export type ReconciliationCompleted = Event<'ReconciliationCompleted', Proven & Readonly<{ run: string; at: IsoTime }>>;

export type ReconciliationEvent = ReconciliationStarted | DiscrepancyFound | ReconciliationCompleted;

/** Streams are `reconciliation-<yyyyMMdd>`, by the day in UTC on which the proof began. */
export const RECONCILIATION = 'reconciliation';
