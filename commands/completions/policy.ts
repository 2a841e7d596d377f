import { isWebTask } from '../../src/kernel/catalogue.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { marginOf } from '../../src/kernel/pricing.ts';

/** How requests are held, watched and limited. */
export type CompletionPolicy = Readonly<{
  /** What is put on hold above the estimate, in basis points of it. */
  marginBps: bigint;
  /** The margin of work that searches the web or looks at films, whose cost no estimate knows. */
  fixedMargin: MicroUsd;
  leaseSeconds: number;
  renewEverySeconds: number;
  /** When a request first notes what it has used, so that a crash leaves little uncharged. */
  firstRenewSeconds: number;
  /** How long a streamed request waits for the provider before the client hears that it has begun. */
  headWaitMs: number;
  maxConcurrentPerUser: number;
  maxConcurrent: number;
}>;

export const defaultCompletionPolicy: CompletionPolicy = {
  marginBps: 5_000n,
  fixedMargin: 1_200_000n,
  leaseSeconds: 30,
  renewEverySeconds: 10,
  firstRenewSeconds: 2,
  headWaitMs: 5_000,
  maxConcurrentPerUser: 20,
  maxConcurrent: 5_000,
};

/** The usual policy with another lease, which is renewed often enough to bear two renewals that fail. */
export const policyWithLease = (leaseSeconds: number): CompletionPolicy => ({
  ...defaultCompletionPolicy,
  leaseSeconds,
  renewEverySeconds: leaseSeconds / 3,
});

const UNKNOWN_COST = /web_?search|^video_?analysis$/i;

/** What is put on hold above the estimate. Free work needs none. */
export const marginFor = (policy: CompletionPolicy, taskType: string, estimate: MicroUsd): MicroUsd => {
  if (estimate === 0n) return 0n;
  return isWebTask(taskType) || UNKNOWN_COST.test(taskType) ? policy.fixedMargin : marginOf(estimate, policy.marginBps);
};
