import type { MicroUsd } from '../../src/kernel/money.ts';
import type { EndedBy, FinishReason, Usage } from '../../src/kernel/usage.ts';

/** How a request ended. Its charge is durable, but for one that nobody waits for any more and that is still counted. */
export type Ended = Readonly<{
  how: 'completed' | 'cancelled' | 'failed' | 'gone';
  endedBy: EndedBy;
  finish: FinishReason | null;
  /** What was charged for; undefined when nothing was. */
  usage: Usage | undefined;
  charged: MicroUsd;
  estimated: boolean;
  /** Why it failed. */
  failure: unknown;
  /** True when another provider was asked too. */
  fallbackAttempted: boolean;
}>;

/** What is known of a request when it ends. */
type Facts = Readonly<{
  /** Who ended it from outside, if anybody did. */
  stoppedBy: EndedBy | undefined;
  /** True when the answer was all there before anybody stopped it, which changes nothing about it then. */
  isWhole: boolean;
  /** True once a provider had accepted it. */
  isAccepted: boolean;
  /** Why it broke. */
  failure: unknown;
  streamed: boolean;
  hasOutput: boolean;
}>;

/** How a request ended, before its money is settled. */
export type Ending = Pick<Ended, 'how' | 'endedBy' | 'failure'> &
  Readonly<{
    /** True when something was used that has to be paid. */
    isConsumed: boolean;
    /** True when it was ended from outside. */
    isStopped: boolean;
  }>;

const howItEnded = ({ stoppedBy, isWhole, failure }: Facts): Ended['how'] => {
  if (isWhole || stoppedBy === 'credit') return 'completed';
  if (stoppedBy === undefined) return failure === undefined ? 'completed' : 'failed';
  if (stoppedBy === 'client') return 'gone';
  return stoppedBy === 'cancel' ? 'cancelled' : 'failed';
};

/** How a request ended, and whether it is to be charged. */
export const endingOf = (facts: Facts): Ending => {
  const { stoppedBy, isWhole, isAccepted, failure, streamed, hasOutput } = facts;
  const how = howItEnded(facts);
  return {
    how,
    endedBy: isWhole ? 'provider' : (stoppedBy ?? 'provider'),
    failure,
    // What a failure of the provider's or of ours left behind is charged only when it reached the client.
    isConsumed: isAccepted && (how !== 'failed' || (streamed && hasOutput)),
    isStopped: stoppedBy !== undefined,
  };
};
