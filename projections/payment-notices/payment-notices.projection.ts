import { STRIPE_EVENT, type StripeEventEvent } from '../../src/events/stripe-event/stripe-event.events.ts';
import { stripeEventUpcasters } from '../../src/events/stripe-event/stripe-event.upcasters.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { paymentNoticeTable } from './payment-notices.table.ts';

const now = ({ stream, data }: Pick<Projected<StripeEventEvent>, 'stream' | 'data'>, set: Row): RowOp => ({
  op: 'set',
  table: paymentNoticeTable,
  key: { notice_id: stream.slice(STRIPE_EVENT.length + 1) },
  set: { ...set, updated_at: data.at },
});

/** The inbox of the payment provider's notices. */
export const paymentNoticesProjection = defineProjection<StripeEventEvent>({
  name: 'payment-notices',
  version: 1,
  tables: [paymentNoticeTable],
  streamPrefixes: [`${STRIPE_EVENT}-`],
  upcasters: stripeEventUpcasters,
  on: {
    StripeEventReceived: (event) => {
      const { type, objectId, at } = event.data;
      const waiting = { status: 'waiting', next_attempt_at: at, received_at: at };
      return [now(event, { type, object_id: objectId, ...waiting })];
    },
    StripeEventApplied: (event) => [now(event, { status: 'applied', code: event.data.outcome, next_attempt_at: null })],
    StripeEventIgnored: (event) => [now(event, { status: 'ignored', code: event.data.why, next_attempt_at: null })],
    StripeEventFailed: (event) => {
      const { attempt, code, nextAttemptAt } = event.data;
      return [now(event, { attempts: attempt, code, next_attempt_at: nextAttemptAt })];
    },
    StripeEventParked: (event) => {
      const { attempts, code } = event.data;
      return [now(event, { status: 'parked', attempts, code, next_attempt_at: null })];
    },
    StripeEventReplayed: (event) => [now(event, { status: 'waiting', attempts: 0, next_attempt_at: event.data.at })],
  },
});
