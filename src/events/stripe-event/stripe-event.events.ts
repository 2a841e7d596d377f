import type { Event, IsoTime } from '../../kernel/message.ts';

type Said<D> = D & Readonly<{ at: IsoTime }>;

/**
 * A notice of the payment provider has arrived and is safe. Names and a hash: its payload is full of personal data, and
 * what counts is fetched when it is worked on.
 */
export type StripeEventReceived = Event<
  'StripeEventReceived',
  Said<
    Readonly<{
      noticeId: string;
      type: string;
      objectId: string;
      objectKind: string;
      paymentIntentId: string | null;
      customerId: string | null;
      purchaseId: string | null;
      livemode: boolean;
      apiVersion: string | null;
      createdAt: IsoTime;
      payloadSha256: string;
    }>
  >
>;
export type StripeEventApplied = Event<'StripeEventApplied', Said<Readonly<{ outcome: string }>>>;
export type StripeEventIgnored = Event<'StripeEventIgnored', Said<Readonly<{ why: string }>>>;
export type StripeEventFailed = Event<
  'StripeEventFailed',
  Said<Readonly<{ attempt: number; code: string; nextAttemptAt: IsoTime }>>
>;
/** Nobody tries again by themselves: an administrator looks and replays it. */
export type StripeEventParked = Event<'StripeEventParked', Said<Readonly<{ attempts: number; code: string }>>>;
export type StripeEventReplayed = Event<'StripeEventReplayed', Said<Readonly<{ by: string }>>>;

export type StripeEventEvent =
  | StripeEventReceived
  | StripeEventApplied
  | StripeEventIgnored
  | StripeEventFailed
  | StripeEventParked
  | StripeEventReplayed;

/** Streams are `stripeEvent-<id of the notice>`. */
export const STRIPE_EVENT = 'stripeEvent';
