import { autoTopOffAggregate } from '../../commands/auto-top-off/index.ts';
import { toppingOff } from '../../commands/auto-top-off/topping-off.ts';
import { customers } from '../../commands/billing-profile/customers.ts';
import { billingProfileAggregate, stripeCustomerAggregate } from '../../commands/billing-profile/index.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import { noticeAggregate } from '../../commands/payment-notices/index.ts';
import { noticeDesk } from '../../commands/payment-notices/notice-work.ts';
import { purchaseAggregate } from '../../commands/purchases/index.ts';
import { purchasing } from '../../commands/purchases/purchasing.ts';
import { stripePayments } from '../../infra/stripe/stripe-payments.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { PaymentProvider } from '../../src/kernel/payments.ts';
import type { Sealed } from '../../src/kernel/vault.ts';
import { usualPurchasePolicy } from '../support/usual-policy.ts';

type Json = Readonly<Record<string, unknown>>;

export const SECRET_KEY = 'sk_test_x';
const ADDRESS = { name: 'Ada', line1: '1 Street', city: 'Berlin', postal_code: '10115', country: 'DE' };
const back = 'http://localhost/back';
const returnTo = { paid: back, notPaid: back, methodAdded: back, methodNotAdded: back, portal: back };

/** A cause of a user's, at this moment. */
export const causeOf = (userId: string): Cause => ({
  at: new Date().toISOString(),
  correlationId: 'c',
  causationId: 'c',
  actor: { kind: 'user', id: userId },
});

/** A vault that seals nothing: what is in it is not what is tested here. */
const vault = {
  seal: (k: string): Promise<Sealed> => Promise.resolve({ k, iv: '', ct: '', tag: '' }),
  digest: (_subject: string, value: unknown): Promise<string> => Promise.resolve(JSON.stringify(value)),
};

/** The provider at an address. */
export const providerAt = (url: string, timeoutMs?: number): PaymentProvider =>
  stripePayments({
    secretKey: SECRET_KEY,
    apiBase: url,
    returnTo,
    logger: silentLogger,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });

/** The paying part of one instance, over a store and a provider. */
export const world = <S extends EventStore>(store: S, provider: PaymentProvider, clock = (): Date => new Date()) => {
  const deps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const profiles = commandHandler(billingProfileAggregate, deps);
  const owners = commandHandler(stripeCustomerAggregate, deps);
  const purchases = commandHandler(purchaseAggregate, deps);
  const credits = commandHandler(creditAccount, deps);
  const notices = commandHandler(noticeAggregate, deps);
  const topOffs = commandHandler(autoTopOffAggregate, deps);
  const linked = customers({ profiles, owners, provider, vault, clock });
  const policy = () => Promise.resolve(usualPurchasePolicy);
  const buying = purchasing({ purchases, credits, profiles, customers: linked, provider, vault, policy, clock });
  const desk = noticeDesk({ notices, purchasing: buying, customers: linked, provider, clock, logger: silentLogger });
  const topOff = toppingOff({
    topOffs,
    profiles,
    credits,
    purchasing: buying,
    caps: () => Promise.resolve({ count: 5, amountMinor: 100_000 }),
    clock,
    logger: silentLogger,
  });
  return { store, provider, profiles, purchases, linked, buying, desk, credits, notices, topOffs, topOff };
};

export type World = ReturnType<typeof world>;

/** Tells the double what to do. */
export const telling =
  (url: string) =>
  async (what: string, told: Json = {}): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${url}/_double/${what}`, { method: 'POST', headers, body: JSON.stringify(told) })).json();
  };

/** Sends a form of the payment pages, as a browser does. */
export const submit = (url: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(url, { method: 'POST', body: new URLSearchParams({ ...fields, ...ADDRESS }), redirect: 'manual' });

/** Opens an account without free credit. */
export const openAccount = async ({ credits }: Pick<World, 'credits'>, userId: string): Promise<void> => {
  const cause = causeOf(userId);
  const data = { userId, signupGrant: 0n, grantExpiresAt: cause.at, at: cause.at };
  await credits.handle(userId, { type: 'OpenAccount', key: 'account', data }, cause);
};

/** Adds a card and an address on the page for it. */
export const addCard = async (
  { linked, provider, profiles }: Pick<World, 'linked' | 'provider' | 'profiles'>,
  userId: string,
  method = 'card',
): Promise<string> => {
  const cause = causeOf(userId);
  const customerId = await linked.of(userId, { email: 'ada@example.test' }, cause);
  const { sessionId, expiresAt, url } = await provider.openSetup(userId, customerId, `setup-${cause.at}`);
  const note = { userId, sessionId, expiresAt, at: cause.at };
  await profiles.handle(userId, { type: 'NoteSetup', key: sessionId, data: note }, cause);
  await submit(`${url}/save`, { method });
  await linked.setupEnded(userId, customerId, sessionId, cause);
  return customerId;
};
