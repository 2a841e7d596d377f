import { STRIPE_EVENT, type StripeEventEvent } from '../../src/events/stripe-event/stripe-event.events.ts';
import { stripeEventUpcasters } from '../../src/events/stripe-event/stripe-event.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { NoticeCommand } from './payment-notices.commands.ts';
import { noticeDecider, type NoticeState } from './payment-notices.decider.ts';

/** One notice of the payment provider, by its id there: it is received once, however often it comes. */
export const noticeAggregate: Aggregate<NoticeState, NoticeCommand, StripeEventEvent> = {
  category: STRIPE_EVENT,
  decider: noticeDecider,
  upcasters: stripeEventUpcasters,
};
