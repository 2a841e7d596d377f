/** Streams whose events a user is told: all of a category, whose owner its name or each of its events tells. */
export type FeedSource = Readonly<{ category: string; owner: 'stream' | 'data' }>;

/** Everything of a user's own that changes. */
export const feedSources: readonly FeedSource[] = [
  { category: 'user', owner: 'stream' },
  { category: 'session', owner: 'data' },
  { category: 'device', owner: 'data' },
  { category: 'apiKey', owner: 'data' },
  { category: 'consent', owner: 'stream' },
  { category: 'notification', owner: 'data' },
  { category: 'creditAccount', owner: 'stream' },
  { category: 'purchase', owner: 'data' },
  { category: 'billingProfile', owner: 'stream' },
  { category: 'autoTopOff', owner: 'stream' },
];

/**
 * What nobody is told: how work is found and prices are made, secrets of logins and tokens, the payment provider's
 * notices, erasures, whose user is gone, and proofs over the log.
 */
export const untoldCategories: readonly string[] = [
  'identity',
  'email',
  'completion',
  'completionCancel',
  'catalogue',
  'billingPolicy',
  'consentDocuments',
  'pushToken',
  'stripeEvent',
  'stripeCustomer',
  'erasure',
  'auditAnchor',
  'reconciliation',
];

/** Events of told streams that are about our books, not about the user. */
export const untoldTypes: ReadonlySet<string> = new Set([
  'AdjustmentRejected',
  'AdjustmentRequested',
  'BooksClosed',
  'ProcessorFeeLearned',
  'PurchaseMismatchDetected',
]);

/** Members that are ours alone: what we pay, what we lost, who of us did it and why, and others' ids for it. */
export const internalMembers: ReadonlySet<string> = new Set([
  'rawUsage',
  'upstreamId',
  'writtenOff',
  'approvedBy',
  'by',
  'reasonCode',
  'requestedBy',
  'customerId',
  'paymentIntentId',
  'chargeId',
  'chargeRef',
  'balanceTxnId',
  'settledMinor',
  'processorFeeMinor',
]);
