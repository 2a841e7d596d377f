import { expireSession } from './api.ts';
import { closeDispute, disputeIntent, endRefund, refundIntent, settleIntent } from './paying.ts';
import type { World } from './world.ts';

type Told = Readonly<Record<string, unknown>>;

const text = (told: Told, name: string): string => {
  const value = told[name];
  return typeof value === 'string' ? value : '';
};

/** Sends every notice there ever was again, in an order of chance. */
const redeliver = (world: World, told: Told) => {
  const copies = typeof told['copies'] === 'number' ? told['copies'] : 1;
  const spread = typeof told['spread'] === 'number' ? told['spread'] : 100;
  const events = world.all('event');
  const now = world.seconds() * 1000;
  for (let copy = 0; copy < copies; copy += 1) {
    for (const { id } of events) world.queue(id, now + Math.floor(Math.random() * spread));
  }
  return { events: events.length, copies };
};

/** What tests tell the double to do, by name. */
export const toldCalls: Readonly<Record<string, (world: World, told: Told) => unknown>> = {
  knobs: (world, told) => world.knobs.turn(told),
  settle: (world, told) => settleIntent(world, text(told, 'payment_intent'), told['succeeded'] === true),
  refund: (world, told) =>
    refundIntent(
      world,
      text(told, 'payment_intent'),
      typeof told['amount'] === 'number' ? told['amount'] : undefined,
      told['pending'] === true ? 'pending' : 'succeeded',
    ),
  'end-refund': (world, told) =>
    endRefund(world, text(told, 'refund'), told['succeeded'] === true ? 'succeeded' : 'failed'),
  dispute: (world, told) => disputeIntent(world, text(told, 'payment_intent'), 'fraudulent'),
  'close-dispute': (world, told) => closeDispute(world, text(told, 'dispute'), told['won'] === true),
  expire: (world, told) => expireSession(world, world.must('checkout.session', text(told, 'session'))),
  redeliver,
  customers: (world) => world.all('customer'),
  intents: (world) => world.all('payment_intent'),
  charges: (world) => world.all('charge'),
  invoices: (world) => world.all('invoice'),
  sessions: (world) => world.all('checkout.session'),
  events: (world) => world.all('event'),
};
