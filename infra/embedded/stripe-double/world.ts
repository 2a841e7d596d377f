import { STRIPE_API_VERSION } from '../../stripe/stripe-client.ts';
import type { KnobBoard } from './knobs.ts';
import type { Kind, Kinds } from './objects.ts';
import type { DoubleState } from './state.ts';

/** An answer in Stripe's shape of an error. */
export class StripeRefusal extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(String(body['message']));
    this.name = 'StripeRefusal';
    this.status = status;
    this.body = body;
  }
}

/** An object as a notice shows it: bank and card behaviour is the double's own affair. */
const shownOf = (object: object): object =>
  Object.fromEntries(
    Object.entries(object).filter(
      ([name]) => !['behaviour', 'lines', 'intent_metadata', 'invoice_metadata'].includes(name),
    ),
  );

/** The double's memory with what everything in it needs: ids, time, notices. */
export type World = DoubleState &
  Readonly<{
    knobs: KnobBoard;
    /** Where its own pages are. */
    url: () => string;
    seconds: () => number;
    /** The customer that something is made for; refuses as Stripe does when it is gone. */
    living: (customerId: string) => Kinds['customer'];
    /** The object; refuses as Stripe does when there is none. */
    must: <K extends Kind>(kind: K, id: string) => Kinds[K];
    base: <K extends Kind>(kind: K) => { id: string; object: K; created: number; livemode: false };
    shown: (object: object) => object;
    /** Notes that something happened, and has everybody told. */
    happened: (type: string, object: object) => void;
  }>;

const missing = (kind: string, id: string, param = 'id'): StripeRefusal =>
  new StripeRefusal(404, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${kind}: '${id}'`,
    param,
  });

/** Builds the world over a state. `wake` is called when there is something to deliver. */
export const worldOf = (
  state: DoubleState,
  knobs: KnobBoard,
  { url, wake, now }: Readonly<{ url: () => string; wake: () => void; now: () => number }>,
): World => {
  const seconds = (): number => Math.floor(now() / 1000);
  const base = <K extends Kind>(kind: K) => ({
    id: state.newId(kind),
    object: kind,
    created: seconds(),
    livemode: false as const,
  });
  return {
    ...state,
    knobs,
    url,
    seconds,
    base,
    shown: shownOf,
    living: (customerId) => {
      const found = state.get('customer', customerId);
      if (found === undefined || found.deleted === true) throw missing('customer', customerId, 'customer');
      return found;
    },
    must: (kind, id) => {
      const found = state.get(kind, id);
      if (found === undefined) throw missing(kind, id);
      return found;
    },
    happened: (type, object) => {
      const event = {
        ...base('event'),
        type,
        api_version: STRIPE_API_VERSION,
        data: { object: shownOf(object) },
      };
      state.put(event);
      for (let copy = 0; copy < knobs.read('copies'); copy += 1) {
        const late = Math.floor(Math.random() * (knobs.read('jitter') + 1));
        state.queue(event.id, now() + knobs.read('delay') + late);
      }
      wake();
    },
  };
};
