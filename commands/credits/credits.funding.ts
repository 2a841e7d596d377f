import type { Allocation } from '../../src/events/credit-account/credit-account.events.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText, minOf, usdText, type MicroUsd } from '../../src/kernel/money.ts';
import { mustBeInUse, mustBeOpen, type Draft } from './credits.drafts.ts';
import { doneAlone } from './credits.four-eyes.ts';
import { allocate, allocationOf, freeIn, sumOf } from './credits.lots.ts';
import type { Clawback, CreditAccount, Lot, OpenAccountState, Part } from './credits.state.ts';
import type { ClawBackCredits, GrantPromo, PurchaseCredits, ReverseClawback } from './funding.commands.ts';

const MICRO_PER_CENT = 10_000n;

/** Refuses a command whose id is known with another content. */
export const refuseOther = (same: boolean, what: string): readonly Draft[] => {
  if (same) return [];
  throw new DomainError('already_exists', `${what} is known with another content`);
};

const lotOfPurchase = (account: OpenAccountState, purchaseId: string): Lot | undefined =>
  account.lots.find(({ purchase }) => purchase?.purchaseId === purchaseId);

/** A lot of the credit that was paid for. */
export const purchase = ({ data }: PurchaseCredits, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  const { purchaseId, grossMinor, feeMinor, taxMinor, source, chargeRef, at } = data;
  const credit = BigInt(grossMinor - feeMinor) * MICRO_PER_CENT;
  const known = lotOfPurchase(account, purchaseId)?.purchase;
  if (known !== undefined && known !== null) {
    return refuseOther(known.credit === credit, `the purchase ${purchaseId}`);
  }
  mustBeInUse(account);
  if (credit <= 0n || feeMinor < 0 || taxMinor < 0) {
    throw new DomainError(
      'invalid_argument',
      'a purchase gives credit: gross is more than the fee, and no part is negative',
    );
  }
  const lotId = uuidOf(`purchase:${purchaseId}`);
  const paid = { credit: microText(credit), grossMinor, feeMinor, taxMinor, currency: 'usd' as const };
  return [{ type: 'CreditsPurchased', data: { purchaseId, lotId, ...paid, source, chargeRef, at } }];
};

/** What of paid lots is free: the purchase's own lot first, then the others, oldest first. */
const fromPaid = (account: OpenAccountState, own: Lot, amount: MicroUsd, at: IsoTime): readonly Part[] => {
  const first = allocate([own], amount, at);
  const others = account.lots.filter(({ kind, lotId }) => kind === 'paid' && lotId !== own.lotId);
  return [...first, ...allocate(others, amount - sumOf(first), at)];
};

/** Credit goes back where it came from. */
export const clawBack = ({ data }: ClawBackCredits, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  const { clawbackId, purchaseId, cause, amount, at } = data;
  const known = account.clawbacks.find((one) => one.clawbackId === clawbackId);
  if (known !== undefined) {
    const same = known.purchaseId === purchaseId && known.cause === cause && known.requested === amount;
    return refuseOther(same, `the clawback ${clawbackId}`);
  }
  const lot = lotOfPurchase(account, purchaseId);
  if (lot?.purchase === undefined || lot.purchase === null) {
    throw new DomainError('not_found', 'no such purchase in this account', { details: { purchaseId } });
  }
  if (amount < 0n) throw new DomainError('invalid_argument', 'a clawback is not negative');
  const due = minOf(amount, lot.purchase.credit - lot.purchase.clawed);
  const parts = fromPaid(account, lot, due, at);
  const shortfall = due - sumOf(parts);
  const taken = { requested: microText(amount), taken: allocationOf(parts), shortfall: microText(shortfall) };
  const clawed: Draft = { type: 'CreditsClawedBack', data: { clawbackId, purchaseId, cause, ...taken, at } };
  if (shortfall === 0n) return [clawed];
  const shortfallId = uuidOf(`shortfall:${clawbackId}`);
  const owed = { shortfallId, amount: microText(shortfall), cause, ref: clawbackId };
  return [clawed, { type: 'ShortfallRecorded', data: { ...owed, at } }];
};

const mustBeKnown = (account: OpenAccountState, clawbackId: string): Clawback => {
  const found = account.clawbacks.find((one) => one.clawbackId === clawbackId);
  if (found !== undefined) return found;
  throw new DomainError('not_found', 'no such clawback in this account', { details: { clawbackId } });
};

/** What was taken back is the user's again; what was written off of it was never the user's loss. */
export const reverse = ({ data }: ReverseClawback, state: CreditAccount): readonly Draft[] => {
  const { clawbackId, at } = data;
  const { purchaseId, lotId, cause, requested, m, forgiven, reversed } = mustBeKnown(mustBeOpen(state), clawbackId);
  if (reversed) return [];
  const amount = m - forgiven;
  const ours = requested === amount ? {} : { ours: microText(requested - amount) };
  const said = { clawbackId, purchaseId, cause, amount: microText(amount), lotId, ...ours, at };
  return [{ type: 'ClawbackReversed', data: said }];
};

/** Free credit beyond the signup grant. */
export const grant = ({ data }: GrantPromo, state: CreditAccount): readonly Draft[] => {
  const account = mustBeInUse(state);
  const { grantId, amount, expiresAt, reason, fourEyesAbove, at } = data;
  const known = account.lots.find(({ lotId }) => lotId === grantId);
  if (known !== undefined) return refuseOther(known.given === amount, 'this grant');
  if (amount <= 0n) throw new DomainError('invalid_argument', 'a grant is more than nothing');
  if (expiresAt <= at) throw new DomainError('invalid_argument', 'a grant ends in the future');
  if (amount + doneAlone(account, at) > fourEyesAbove) {
    throw new DomainError(
      'invalid_argument',
      `more than ${usdText(fourEyesAbove)} USD a day need a second administrator; ask for an adjustment of promo credit`,
    );
  }
  return [
    {
      type: 'PromoCreditsGranted',
      data: { grantId, lotId: grantId, amount: microText(amount), expiresAt, reason, at },
    },
  ];
};

/** Pays what is owed from free paid credit, oldest debt first: nothing is owed while there is any. */
export const settlementOf = (state: CreditAccount, at: IsoTime): readonly Draft[] => {
  if (state.status === 'none' || state.owed.length === 0) return [];
  const paid = state.lots.filter(({ kind }) => kind === 'paid');
  let free = freeIn(paid, at);
  let left = paid;
  const drafts: Draft[] = [];
  for (const { shortfallId, m } of state.owed) {
    const amount = minOf(m, free);
    if (amount === 0n) break;
    const parts = allocate(left, amount, at);
    const alloc: readonly Allocation[] = allocationOf(parts);
    drafts.push({ type: 'ShortfallSettled', data: { shortfallId, amount: microText(amount), alloc, at } });
    left = left.map((lot) => ({
      ...lot,
      remaining: lot.remaining - sumOf(parts.filter(({ lotId }) => lotId === lot.lotId)),
    }));
    free -= amount;
  }
  return drafts;
};
