import { streamOf } from '../../src/kernel/aggregate.ts';
import { isoAfter, isoOf, notAfter, type Clock } from '../../src/kernel/clock.ts';
import { contentDigest } from '../../src/kernel/digest.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Cause } from '../../src/kernel/message.ts';
import {
  CustomerGoneError,
  type CheckoutOrder,
  type HostedPage,
  type PaymentProvider,
  type PaymentRef,
} from '../../src/kernel/payments.ts';
import { isErased, type Sealed, type SubjectVault } from '../../src/kernel/vault.ts';
import { refuseUnlessPayable } from '../billing-profile/billing-profile.decider.ts';
import type { Customers, Profiles } from '../billing-profile/customers.ts';
import { creditingOf, type Credits, type Purchases } from './crediting.ts';
import { centsOf, type PurchasePolicy } from './fee-tiers.ts';
import { purchaseAggregate } from './index.ts';
import type { InitiatePurchase, WithdrawalConsent } from './purchases.commands.ts';
import type { BegunPurchase, Purchase } from './purchases.state.ts';

/** Somebody buys credit. `key` names the attempt: the same key opens the same page. */
export type BuyOrder = Readonly<{
  userId: string;
  email: string | undefined;
  /** USD without tax. */
  amount: number;
  key: string;
  consent: WithdrawalConsent | null;
}>;

/** Buying credit, and what follows from what the payment provider knows. */
export type Purchasing = Readonly<{
  /** Begins a purchase and opens the page to pay on. */
  buy: (order: BuyOrder, cause: Cause) => Promise<HostedPage>;
  /** Begins a purchase that is charged to the default method without anybody present. Idempotent. */
  charge: (
    order: Readonly<{
      purchaseId: string;
      userId: string;
      grossMinor: number;
      triggerId: string;
      /** Begun so long ago that no invoice must be made for it any more. */
      isOld: boolean;
    }>,
    cause: Cause,
  ) => Promise<BegunPurchase>;
  /** Lets nobody pay an unpaid purchase of the kind `charge` begins any more; undefined when there is no such purchase. */
  giveUp: (purchaseId: string, cause: Cause) => Promise<BegunPurchase | undefined>;
  /** Closes a purchase for which no page and no invoice ever was; does nothing when there was. */
  abandon: (purchaseId: string, cause: Cause) => Promise<BegunPurchase>;
  /**
   * Looks at the payment and does all that follows: credit, clawback, block. May be repeated, and done by several at once;
   * undefined when there is no such purchase.
   */
  reconcile: (purchaseId: string, ref: PaymentRef, cause: Cause) => Promise<BegunPurchase | undefined>;
}>;

type Deps = Readonly<{
  purchases: Purchases;
  credits: Credits;
  profiles: Profiles;
  customers: Customers;
  provider: PaymentProvider;
  vault: Pick<SubjectVault, 'seal'>;
  /** The one in force, read anew: what a purchase costs is decided once and for all. */
  policy: () => Promise<PurchasePolicy>;
  clock: Clock;
}>;

/** The provider forgets keys after a day. */
const KEY_LIVES_MS = 20 * 3_600_000;

const begunOf = (purchase: Purchase): BegunPurchase => {
  if (purchase.status === 'none') throw new Error('a purchase that was begun is not there');
  return purchase;
};

const orderOf = (purchase: BegunPurchase, customerId: string): CheckoutOrder => {
  const { purchaseId, userId, creditMinor, feeMinor } = purchase;
  return { purchaseId, userId, customerId, creditMinor, feeMinor };
};

const refOf = ({ sessionId, invoice, kind }: BegunPurchase, hint: PaymentRef): PaymentRef => {
  if (kind === 'auto_top_off' && invoice !== null) return { invoiceId: invoice.invoiceId };
  return sessionId === null ? hint : { sessionId };
};

/** The process of buying: every step may be repeated, so that it is resumed wherever it was cut. */
export const purchasing = (deps: Deps): Purchasing => {
  const { purchases, customers, profiles, provider, vault, policy, clock } = deps;
  const credit = creditingOf(deps);

  const initiate = async (wish: Omit<InitiatePurchase['data'], 'policy'>, cause: Cause): Promise<BegunPurchase> => {
    const data = { ...wish, policy: await policy() };
    const command = { type: 'InitiatePurchase', key: `initiate:${data.purchaseId}`, data } as const;
    return begunOf((await purchases.handle(data.purchaseId, command, cause)).state);
  };

  /** Null for a buyer who was forgotten while the payment was on its way: what it comes to is written down all the same. */
  const sealedUrl = async ({ userId, purchaseId }: BegunPurchase, url: string | null): Promise<Sealed | null> => {
    if (url === null) return null;
    try {
      return await vault.seal(userId, streamOf(purchaseAggregate, purchaseId), url);
    } catch (error) {
      if (isErased(error)) return null;
      throw error;
    }
  };

  const reconcile: Purchasing['reconcile'] = async (purchaseId, hint, cause) => {
    const known = await purchases.state(purchaseId);
    if (known.status === 'none') return undefined;
    const facts = await provider.payment(refOf(known, hint));
    if (facts === undefined) return credit(known, cause);
    if (facts.purchaseId !== purchaseId) throw new Error('a payment is said to belong to another purchase');
    const at = isoOf(clock());
    if (facts.sessionId !== null && known.sessionId === null) {
      const data = { sessionId: facts.sessionId, expiresAt: at, at };
      await purchases.handle(purchaseId, { type: 'NoteCheckout', key: `session:${facts.sessionId}`, data }, cause);
    }
    const command = {
      type: 'LearnPayment',
      key: `learn:${contentDigest(facts)}`,
      data: { facts, pdfUrl: await sealedUrl(known, facts.invoice?.pdfUrl ?? null), at },
    } as const;
    return credit(begunOf((await purchases.handle(purchaseId, command, cause)).state), cause);
  };

  const abandon: Purchasing['abandon'] = async (purchaseId, cause) => {
    const command = { type: 'AbandonPurchase', key: `abandon:${purchaseId}`, data: { at: cause.at } } as const;
    return begunOf((await purchases.handle(purchaseId, command, cause)).state);
  };

  const giveUp: Purchasing['giveUp'] = async (purchaseId, cause) => {
    const known = await purchases.state(purchaseId);
    if (known.status === 'none') return undefined;
    if (known.invoice === null) return abandon(purchaseId, cause);
    // What is on its way, or has arrived meanwhile, is not to be given up.
    const now = begunOf((await reconcile(purchaseId, {}, cause)) ?? known);
    if (now.status !== 'open' && now.status !== 'failed') return now;
    await provider.voidInvoice(purchaseId, known.invoice.invoiceId);
    return begunOf((await reconcile(purchaseId, {}, cause)) ?? now);
  };

  /** A customer that is gone is forgotten first, so that whoever goes on finds nothing to charge. */
  const issue = async (begun: BegunPurchase, customerId: string, cause: Cause): Promise<string> => {
    try {
      return await provider.issueInvoice(orderOf(begun, customerId));
    } catch (error) {
      if (error instanceof CustomerGoneError) await customers.refresh(begun.userId, customerId, cause);
      throw error;
    }
  };

  const open = async (
    { userId, amount, key, consent }: BuyOrder,
    customerId: string,
    cause: Cause,
  ): Promise<HostedPage> => {
    refuseUnlessPayable(await profiles.state(userId));
    const grossMinor = centsOf(amount);
    const { at } = cause;
    const purchaseId = uuidOf(`purchase|${userId}|${key}`);
    const begun = await initiate(
      { purchaseId, userId, kind: 'checkout', grossMinor, triggerId: null, consent, at },
      cause,
    );
    // The provider would open a second page for the same purchase, and somebody might pay on both.
    if (notAfter(isoAfter(begun.begunAt, KEY_LIVES_MS), at)) {
      throw new DomainError('already_exists', 'this key was used for a purchase long ago; use a new key');
    }
    const page = await provider.openCheckout(orderOf(begun, customerId));
    const { sessionId, expiresAt } = page;
    const data = { sessionId, expiresAt, at };
    await purchases.handle(purchaseId, { type: 'NoteCheckout', key: `session:${sessionId}`, data }, cause);
    return page;
  };

  return {
    reconcile,
    buy: (order, cause) =>
      customers.with(order.userId, order.email === undefined ? {} : { email: order.email }, cause, (customerId) =>
        open(order, customerId, cause),
      ),
    charge: async ({ purchaseId, userId, grossMinor, triggerId, isOld }, cause) => {
      const { customerId } = await profiles.state(userId);
      if (customerId === null) throw new DomainError('payment_method_required', 'there is nothing to charge');
      const { at } = cause;
      const begun = await initiate(
        { purchaseId, userId, kind: 'auto_top_off', grossMinor, triggerId, consent: null, at },
        cause,
      );
      if (begun.status !== 'open') return credit(begun, cause);
      if (begun.invoice === null && isOld) return abandon(purchaseId, cause);
      const invoiceId = begun.invoice?.invoiceId ?? (await issue(begun, customerId, cause));
      // Noted before it is paid, so that whoever goes on after a crash finds it.
      await reconcile(purchaseId, { invoiceId }, cause);
      await provider.payInvoice(purchaseId, invoiceId);
      return begunOf((await reconcile(purchaseId, { invoiceId }, cause)) ?? begun);
    },
    giveUp,
    abandon,
  };
};
