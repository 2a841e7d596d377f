import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { CreditCommand } from '../credits/credits.commands.ts';
import type { CreditAccount } from '../credits/credits.state.ts';
import type { PurchaseCommand } from './purchases.commands.ts';
import type { BegunPurchase, Disputed, Purchase, Refunded } from './purchases.state.ts';

export type Purchases = CommandHandler<Purchase, PurchaseCommand, PurchaseEvent>;
export type Credits = Pick<CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>, 'handle'>;

type Deps = Readonly<{ purchases: Purchases; credits: Credits; clock: Clock }>;

/** A closed account takes no credit: its owner left while the money was on its way. */
const isClosed = (error: unknown): boolean => isDomainError(error) && error.errorType === 'billing_conflict';

const begunOr = (before: BegunPurchase, state: Purchase): BegunPurchase => (state.status === 'none' ? before : state);

/**
 * Does on the account what a purchase asks for, as far as it is not done yet. The account takes each step once, in
 * whatever order several of these run: a step that undoes another one is always sent after that one.
 */
export const creditingOf = ({ purchases, credits, clock }: Deps) => {
  const send = async (userId: string, command: CreditCommand, cause: Cause): Promise<void> => {
    await credits.handle(userId, command, cause);
  };

  const clawBack = async (
    { userId, purchaseId }: BegunPurchase,
    { clawbackId, cause: why, amount }: Readonly<{ clawbackId: string; cause: 'refund' | 'dispute'; amount: bigint }>,
    undo: boolean,
    cause: Cause,
  ): Promise<void> => {
    if (amount <= 0n) return;
    const at = isoOf(clock());
    const data = { clawbackId, purchaseId, cause: why, amount, at };
    await send(userId, { type: 'ClawBackCredits', key: `${why}:${clawbackId}`, data }, cause);
    if (!undo) return;
    await send(userId, { type: 'ReverseClawback', key: `reverse:${clawbackId}`, data: { clawbackId, at } }, cause);
  };

  const refunded = (purchase: BegunPurchase, refund: Refunded, cause: Cause): Promise<void> =>
    clawBack(purchase, { clawbackId: refund.refundId, cause: 'refund', amount: refund.credit }, refund.failed, cause);

  const disputed = async (purchase: BegunPurchase, dispute: Disputed, cause: Cause): Promise<void> => {
    const { disputeId: ref, credit: amount, status } = dispute;
    const clawback = { clawbackId: ref, cause: 'dispute' as const, amount };
    await clawBack(purchase, clawback, status === 'won', cause);
    const data = { reason: 'dispute' as const, ref, at: isoOf(clock()) };
    await send(purchase.userId, { type: 'BlockSpending', key: `block:dispute:${ref}`, data }, cause);
    if (status === 'open') return;
    await send(purchase.userId, { type: 'UnblockSpending', key: `unblock:dispute:${ref}`, data }, cause);
  };

  const fulfilled = async (purchase: BegunPurchase, cause: Cause): Promise<BegunPurchase> => {
    if (purchase.status !== 'paid') return purchase;
    const { purchaseId, userId, grossMinor, feeMinor, taxMinor, kind: source, chargeId: chargeRef } = purchase;
    const at = isoOf(clock());
    const data = { purchaseId, grossMinor, feeMinor, taxMinor, source, chargeRef, at };
    try {
      await send(userId, { type: 'PurchaseCredits', key: `purchase:${purchaseId}`, data }, cause);
    } catch (error) {
      if (!isClosed(error)) throw error;
      const leave = { type: 'LeaveUncredited', key: `uncredited:${purchaseId}`, data: { at } } as const;
      return begunOr(purchase, (await purchases.handle(purchaseId, leave, cause)).state);
    }
    const fulfil = { type: 'FulfilPurchase', key: `fulfil:${purchaseId}`, data: { at } } as const;
    return begunOr(purchase, (await purchases.handle(purchaseId, fulfil, cause)).state);
  };

  return async (purchase: BegunPurchase, cause: Cause): Promise<BegunPurchase> => {
    const done = await fulfilled(purchase, cause);
    if (done.status !== 'fulfilled') return done;
    for (const refund of done.refunds) await refunded(done, refund, cause);
    for (const dispute of done.disputes) await disputed(done, dispute, cause);
    return done;
  };
};

/** A refusal that trying again does not change. */
export const isFinal = (error: unknown): boolean =>
  isDomainError(error) && ['billing_conflict', 'already_exists', 'not_found'].includes(error.errorType);
