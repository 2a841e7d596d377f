import type { AutoTopOffEvent } from '../../src/events/auto-top-off/auto-top-off.events.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { isoAfter, isoOf, notAfter, type Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { canBeCharged } from '../billing-profile/billing-profile.state.ts';
import type { Profiles } from '../billing-profile/customers.ts';
import type { CreditCommand } from '../credits/credits.commands.ts';
import type { CreditAccount, OpenAccountState } from '../credits/credits.state.ts';
import type { Purchasing } from '../purchases/purchasing.ts';
import type { BegunPurchase } from '../purchases/purchases.state.ts';
import type { AutoTopOffCommand, EndTopOff, TopOffCaps } from './auto-top-off.commands.ts';
import type { AutoTopOff, OpenTrigger } from './auto-top-off.decider.ts';

export type TopOffs = CommandHandler<AutoTopOff, AutoTopOffCommand, AutoTopOffEvent>;

type Deps = Readonly<{
  topOffs: TopOffs;
  profiles: Profiles;
  credits: Pick<CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>, 'state'>;
  purchasing: Pick<Purchasing, 'charge' | 'giveUp'>;
  /** Those in force. */
  caps: () => Promise<TopOffCaps>;
  clock: Clock;
  logger: Logger;
}>;

/** The payment provider forgets keys after a day: after this nothing that was cut short is made again. */
const RESUMED_FOR_MS = 20 * 3_600_000;

type Outcome = EndTopOff['data']['outcome'];

/** Paid credit that is free: what is on hold has left its lot. */
const paidOf = (account: CreditAccount): MicroUsd =>
  account.status === 'none'
    ? 0n
    : account.lots.reduce((sum, { kind, remaining }) => (kind === 'paid' ? sum + remaining : sum), 0n);

/** Whoever may not spend, because a payment is disputed for one, is not charged either. */
const isBlocked = ({ blocks }: OpenAccountState): boolean => blocks.some(({ lifted }) => !lifted);

const outcomeOf = ({ status, failure, needsAction }: BegunPurchase): Outcome | undefined => {
  if (status === 'fulfilled') return 'succeeded';
  if (status === 'failed' || status === 'closed') {
    return { code: failure ?? 'closed', final: needsAction };
  }
  return status === 'mismatch' ? { code: 'mismatch', final: true } : undefined;
};

/** `under_way`: a purchase is begun and not ended; who calls again later goes on with it. */
type Went = 'over' | 'under_way';

/**
 * Buys for a user what automatic buying asks for, and goes on with what was begun. May be called at any time, by several
 * at once: the process decides, and each step is done once.
 */
export const toppingOff = (deps: Deps): ((userId: string) => Promise<Went>) => {
  const { topOffs, profiles, credits, purchasing, caps, clock, logger } = deps;

  const causeAt = (userId: string, at: string): Cause => {
    const id = uuidOf(`top-off|${userId}|${at}`);
    return { at, correlationId: id, causationId: id, actor: { kind: 'job', id: 'top-off' } };
  };

  /** There is nothing to charge any more. What was begun before is not left behind for somebody to collect. */
  const withoutMethod = async (purchaseId: string, cause: Cause): Promise<Outcome | undefined> => {
    const given = await purchasing.giveUp(purchaseId, cause);
    const outcome = given === undefined ? undefined : outcomeOf(given);
    if (given !== undefined && (outcome === undefined || outcome === 'succeeded')) return outcome;
    return { code: 'payment_method_required', final: false };
  };

  /** What became of the purchase; undefined while it is under way. */
  const carriedOn = async (userId: string, open: OpenTrigger, cause: Cause): Promise<Outcome | undefined> => {
    const { triggerId, purchaseId, amountMinor: grossMinor, at } = open;
    if (!canBeCharged(await profiles.state(userId))) return withoutMethod(purchaseId, cause);
    const isOld = notAfter(isoAfter(at, RESUMED_FOR_MS), cause.at);
    try {
      const purchase = await purchasing.charge({ purchaseId, userId, grossMinor, triggerId, isOld }, cause);
      if (purchase.status !== 'failed') return outcomeOf(purchase);
      // Nobody may collect it later; when it was paid after all, that counts.
      const after = await purchasing.giveUp(purchaseId, cause);
      return after?.status === 'fulfilled' ? 'succeeded' : outcomeOf(purchase);
    } catch (error) {
      if (!isDomainError(error) || error.errorType !== 'invalid_argument') throw error;
      return { code: error.errorType, final: true };
    }
  };

  const carryOn = async (userId: string, open: OpenTrigger, cause: Cause): Promise<Went> => {
    const outcome = await carriedOn(userId, open, cause);
    if (outcome === undefined) return 'under_way';
    const { triggerId } = open;
    const data = { userId, triggerId, outcome, at: isoOf(clock()) };
    const { state } = await topOffs.handle(userId, { type: 'EndTopOff', key: `end:${triggerId}`, data }, cause);
    if (outcome !== 'succeeded') {
      logger.warn({ userId, code: outcome.code, suspended: state.suspended }, 'an automatic purchase failed');
    }
    return 'over';
  };

  return async (userId) => {
    const at = isoOf(clock());
    const cause = causeAt(userId, at);
    const before = await topOffs.state(userId);
    if (before.open !== null) return carryOn(userId, before.open, cause);
    const { topOff } = await profiles.state(userId);
    if (topOff?.enabled !== true) return 'over';
    const account = await credits.state(userId);
    if (account.status === 'open' && (account.closed || isBlocked(account))) return 'over';
    const balance = paidOf(account);
    const { threshold, amountMinor } = topOff;
    const data = { userId, balance, threshold, amountMinor, caps: await caps(), at };
    const key = `trigger:${before.triggers}`;
    const { state } = await topOffs.handle(userId, { type: 'TriggerTopOff', key, data }, cause);
    return state.open === null ? 'over' : carryOn(userId, state.open, cause);
  };
};
