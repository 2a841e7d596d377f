import type { Work } from '../../src/events/credit-account/credit-account.events.ts';
import type { Budget, BudgetRule } from '../../src/kernel/budget.ts';
import type { Disconnect, Price } from '../../src/kernel/catalogue.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { CallOptions, UpstreamEvent, UsageLookUp } from '../../src/kernel/upstream.ts';

/** One provider that could do the work. */
export type Attempt = Readonly<{
  /** The code of the provider that is asked, which need not be the model's own. */
  provider: string;
  /** That provider's name of the model. */
  model: string;
  /** What is done, and charged, when nobody waits for the answer any more. */
  disconnect: Disconnect;
  /** Resolves when the provider has accepted the work. Rejects with UpstreamError. */
  call: (options: CallOptions) => Promise<AsyncIterable<readonly UpstreamEvent[]>>;
  /** Asks the provider afterwards what an answer used. */
  lookUp?: UsageLookUp;
}>;

/** Work that may begin, as soon as its money is on hold. */
export type Plan = Readonly<{
  requestId: string;
  userId: string;
  modelId: string;
  work: Work;
  /** The price at admission, which is the price of the charge. */
  price: Price;
  /** Tokens of the input by our own count. */
  promptTokens: number;
  estimate: MicroUsd;
  margin: MicroUsd;
  /** What the work may not exceed, beside the balance. */
  budgets?: readonly BudgetRule[];
  /** Whom to ask, in this order: the next one only when the one before failed before anything was said. */
  attempts: readonly [Attempt, ...Attempt[]];
}>;

/** What makes two requests of a user the same request. */
export type RequestKey = Readonly<{
  /** What the client chose: 1 to 255 printable characters. */
  value: string;
  /** Stands for the content of the work: with another one the same key is refused (a contentDigest, see kernel/digest.ts). */
  digest: string;
}>;

/** The API key that work is asked for with. Its budget as it is at that moment: a later one is for later requests. */
export type PayingKey = Readonly<{ keyId: string; budget: Budget | null }>;

/** Work that somebody wants done by a provider, of whatever kind. */
export type Job = Readonly<{
  userId: string;
  /** The API key that it is asked for with; absent: by somebody who is signed in. */
  apiKey?: PayingKey;
  /** The same key means the same work, done and charged once. */
  key?: RequestKey;
  /** True when the answer may be asked for again by its request id, from any position, also without a key. */
  resumable?: boolean;
  /** True when the answer is handed on piece by piece. */
  streamed: boolean;
  /** Told, when the work begins, when it will be over: what came with the job is needed until then, whoever waits. */
  keepUntil?: (over: Promise<unknown>) => void;
  /** Checks the job and works out what to hold for it. Throws DomainErrors; nothing is charged yet. */
  plan: (requestId: string) => Promise<Plan>;
}>;
