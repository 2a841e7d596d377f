import type {
  BillingProfileEvent,
  StripeCustomerClaimed,
} from '../../src/events/billing-profile/billing-profile.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import { isoOf, notAfter, isoAfter, type Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { contentDigest } from '../../src/kernel/digest.ts';
import type { Cause } from '../../src/kernel/message.ts';
import {
  CustomerGoneError,
  type BillingDetails,
  type CustomerFacts,
  type PaymentProvider,
} from '../../src/kernel/payments.ts';
import { isErased, type SubjectVault } from '../../src/kernel/vault.ts';
import type { BillingProfileCommand, LearnedCustomer } from './billing-profile.commands.ts';
import type { BillingProfile } from './billing-profile.state.ts';
import { billingProfileAggregate, type ClaimCustomer, type CustomerOwner } from './index.ts';

export type Profiles = CommandHandler<BillingProfile, BillingProfileCommand, BillingProfileEvent>;

/** Users and their customers at the payment provider. */
export type Customers = Readonly<{
  /** The user's customer, made when there is none. However often and wherever this is called at once, one is made. */
  of: (userId: string, who: Readonly<{ email?: string }>, cause: Cause) => Promise<string>;
  /**
   * Does something with the user's customer. When that was deleted at the provider without our knowing, it is done once
   * more with a new one.
   */
  with: <T>(
    userId: string,
    who: Readonly<{ email?: string }>,
    cause: Cause,
    work: (customerId: string) => Promise<T>,
  ) => Promise<T>;
  /** Whose customer this is; undefined when it is none of ours. */
  owner: (customerId: string) => Promise<string | undefined>;
  /** Brings the profile up to what the payment provider knows now. */
  refresh: (userId: string, customerId: string, cause: Cause) => Promise<void>;
  /** What follows from a page on which a payment method was added. */
  setupEnded: (userId: string, customerId: string, sessionId: string, cause: Cause) => Promise<void>;
}>;

type Deps = Readonly<{
  profiles: Profiles;
  owners: CommandHandler<CustomerOwner, ClaimCustomer, StripeCustomerClaimed>;
  provider: PaymentProvider;
  vault: Pick<SubjectVault, 'seal' | 'digest'>;
  clock: Clock;
}>;

/** The provider forgets keys after a day: what was asked for longer ago is looked for first. */
const KEY_LIVES_MS = 20 * 3_600_000;

/** Somebody else may learn something between a look and the word about it; then one looks again. */
const MOST_LOOKS = 8;

const isComplete = (details: BillingDetails): boolean =>
  [details.addressLine1, details.addressCity, details.addressPostalCode, details.addressCountry].every(
    (part) => part !== null && part !== '',
  );

const filled = (text: string | null): boolean => text !== null && text !== '';

/** Links users with customers, and keeps what is known of them. */
export const customers = ({ profiles, owners, provider, vault, clock }: Deps): Customers => {
  const learnedOf = async (userId: string, facts: CustomerFacts): Promise<LearnedCustomer> => {
    const context = streamOf(billingProfileAggregate, userId);
    const { details, methods, defaultMethodId } = facts;
    const [sealed, digest, ...cards] = await Promise.all([
      vault.seal(userId, context, details),
      vault.digest(userId, details),
      ...methods.map(({ card }) => (card === null ? null : vault.seal(userId, context, card))),
    ]);
    return {
      details: {
        hasName: filled(details.customerName),
        addressComplete: isComplete(details),
        taxIdCount: details.taxIds.length,
        ...{ sealed, digest },
      },
      methods: methods.map(({ paymentMethodId: pmId, kind, created }, index) => ({
        ...{ pmId, kind, created },
        card: cards[index] ?? null,
      })),
      defaultMethodId,
    };
  };

  const unlink = async (userId: string, customerId: string, cause: Cause): Promise<void> => {
    const data = { userId, customerId, reason: 'deleted' as const, at: cause.at };
    await profiles.handle(userId, { type: 'UnlinkCustomer', key: `unlink:${customerId}`, data }, cause);
  };

  const refresh = async (userId: string, customerId: string, cause: Cause): Promise<void> => {
    for (let tries = 0; tries < MOST_LOOKS; tries += 1) {
      const { learned: seen } = await profiles.state(userId);
      const facts = await provider.customer(customerId);
      if (facts === undefined || facts.deleted) return unlink(userId, customerId, cause);
      const learned = await learnedOf(userId, facts).catch((error: unknown) => {
        // Nothing is learned of somebody who was forgotten; the customer is deleted next.
        if (isErased(error)) return undefined;
        throw error;
      });
      if (learned === undefined) return;
      const data = { userId, customerId, learned, seen, at: isoOf(clock()) };
      const key = `learn:${contentDigest({ seen, facts })}`;
      const { events, state } = await profiles.handle(userId, { type: 'LearnCustomer', key, data }, cause);
      if (events.length > 0 || state.learned === seen || state.customerId !== customerId) return;
    }
    throw new Error('a customer changes faster than it can be looked at');
  };

  const make = async (userId: string, profile: BillingProfile, cause: Cause): Promise<string> => {
    const { at } = cause;
    const { unlinked, requestedAt } = profile;
    const key = `request:${unlinked}`;
    await profiles.handle(userId, { type: 'RequestCustomer', key, data: { userId, at } }, cause);
    const isOld = requestedAt !== null && notAfter(isoAfter(requestedAt, KEY_LIVES_MS), at);
    const found = isOld ? await provider.findCustomer(userId) : undefined;
    return found ?? provider.createCustomer(userId, unlinked);
  };

  const link = async (userId: string, customerId: string, cause: Cause): Promise<string> => {
    const { at } = cause;
    const claim = { type: 'ClaimCustomer', key: `claim:${userId}`, data: { userId, at } } as const;
    const { state } = await owners.handle(customerId, claim, cause);
    if (state.userId !== userId) throw new Error('a customer of the payment provider belongs to somebody else');
    const data = { userId, customerId, at };
    const linked = await profiles.handle(userId, { type: 'LinkCustomer', key: `link:${customerId}`, data }, cause);
    return linked.state.customerId ?? customerId;
  };

  const of: Customers['of'] = async (userId, who, cause) => {
    const profile = await profiles.state(userId, { cached: true });
    if (profile.customerId !== null) return profile.customerId;
    const now = await profiles.state(userId);
    if (now.customerId !== null) return now.customerId;
    const customerId = await link(userId, await make(userId, now, cause), cause);
    if (who.email !== undefined) await provider.nameCustomer(customerId, { email: who.email });
    await refresh(userId, customerId, cause);
    return customerId;
  };

  return {
    of,
    with: async (userId, who, cause, work) => {
      const customerId = await of(userId, who, cause);
      try {
        return await work(customerId);
      } catch (error) {
        if (!(error instanceof CustomerGoneError)) throw error;
        await refresh(userId, customerId, cause);
        return work(await of(userId, who, cause));
      }
    },
    owner: async (customerId) => (await owners.state(customerId)).userId ?? undefined,
    refresh,
    setupEnded: async (userId, customerId, sessionId, cause) => {
      const { openSetups } = await profiles.state(userId);
      const { status, paymentMethodId } = await provider.setup(sessionId);
      // Told once: an old notice must not make an old method the default one again.
      if (openSetups.includes(sessionId) && status === 'complete' && paymentMethodId !== null) {
        await provider.setDefaultMethod(customerId, paymentMethodId);
      }
      await refresh(userId, customerId, cause);
      if (status === 'open') return;
      const data = { userId, sessionId, status, at: cause.at };
      await profiles.handle(userId, { type: 'EndSetup', key: `setup-end:${sessionId}`, data }, cause);
    },
  };
};
