import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';

type Said<D> = D & Readonly<{ userId: string; at: IsoTime }>;

/** The paid balance is below the threshold: one purchase is made, and no other while it is not done with. */
export type TopOffTriggered = Event<
  'TopOffTriggered',
  Said<
    Readonly<{
      triggerId: string;
      purchaseId: string;
      balance: MicroText;
      threshold: MicroText;
      amountMinor: number;
    }>
  >
>;
export type TopOffSucceeded = Event<'TopOffSucceeded', Said<Readonly<{ triggerId: string }>>>;
export type TopOffFailed = Event<
  'TopOffFailed',
  Said<Readonly<{ triggerId: string; code: string; consecutive: number; nextEligibleAt: IsoTime }>>
>;
/** Nothing is bought until its user sets it anew. */
export type TopOffSuspended = Event<'TopOffSuspended', Said<Readonly<{ reason: string }>>>;
export type TopOffResumed = Event<'TopOffResumed', Said<Readonly<{ by: 'user' }>>>;

export type AutoTopOffEvent = TopOffTriggered | TopOffSucceeded | TopOffFailed | TopOffSuspended | TopOffResumed;

/** Streams are `autoTopOff-<userId>`. */
export const AUTO_TOP_OFF = 'autoTopOff';
