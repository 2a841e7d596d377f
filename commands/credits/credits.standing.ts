import { DomainError } from '../../src/kernel/errors.ts';
import { microText } from '../../src/kernel/money.ts';
import { mustBeInUse, mustBeOpen, type Draft } from './credits.drafts.ts';
import { allocationOf, partOf, sumOf } from './credits.lots.ts';
import { isFulfilled, limitsWish, writeOffWish } from './credits.wishes.ts';
import type { Block, CreditAccount, Lot, OpenAccountState, Part } from './credits.state.ts';
import type {
  BlockSpending,
  CloseAccount,
  SetSpendingLimits,
  UnblockSpending,
  WriteOffShortfall,
} from './funding.commands.ts';

const found = ({ blocks }: OpenAccountState, { reason, ref }: Pick<Block, 'reason' | 'ref'>): Block | undefined =>
  blocks.find((block) => block.reason === reason && block.ref === ref);

/** Keeps the account from spending. Closed accounts spend nothing anyway. */
export const block = ({ data }: BlockSpending, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  if (account.closed) return [];
  const known = found(account, data);
  if (known === undefined) return [{ type: 'SpendingBlocked', data }];
  // Disputes are told of again and again, by whoever looks at their purchase.
  if (!known.lifted || data.reason === 'dispute') return [];
  throw new DomainError('already_exists', `the block ${data.ref} was lifted already; give a new one another name`);
};

/** Lifts a block. */
export const unblock = ({ data }: UnblockSpending, state: CreditAccount): readonly Draft[] => {
  const known = found(mustBeOpen(state), data);
  return known === undefined || known.lifted ? [] : [{ type: 'SpendingUnblocked', data }];
};

/** Gives up what is owed. */
export const writeOff = ({ data }: WriteOffShortfall, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  if (isFulfilled(account, data.wishId, writeOffWish(data))) return [];
  if (account.owed.length === 0) throw new DomainError('billing_conflict', 'nothing is owed in this account');
  return account.owed.map(({ shortfallId, m }) => ({
    type: 'ShortfallWrittenOff',
    data: { shortfallId, amount: microText(m), ...data },
  }));
};

/** Says nothing when these are the limits already and the wish has no name to be remembered by. */
export const setLimits = ({ data }: SetSpendingLimits, state: CreditAccount): readonly Draft[] => {
  const account = mustBeInUse(state);
  if (isFulfilled(account, data.wishId, limitsWish(data))) return [];
  const before = account.limits[data.setBy];
  const names = Object.keys(data.limits) as (keyof typeof data.limits)[];
  const isNews = names.some((name) => (before?.[name] ?? null) !== data.limits[name]);
  if (!isNews && data.wishId === undefined) return [];
  return [{ type: 'SpendingLimitsSet', data }];
};

const all = (lots: readonly Lot[]): readonly Part[] =>
  lots.filter(({ remaining }) => remaining > 0n).map((lot) => partOf(lot, lot.remaining));

/** The end of an account; see CloseAccount. */
export const close = ({ data }: CloseAccount, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  if (account.closed) return [];
  const { reason, paid: what, at } = data;
  if (account.holds.length > 0) {
    throw new DomainError('billing_conflict', 'requests of this account are running; wait until they have ended');
  }
  if (account.blocks.some((one) => one.reason === 'dispute' && !one.lifted)) {
    throw new DomainError('billing_conflict', 'a payment of this account is disputed; wait until that has ended');
  }
  const paid = all(account.lots.filter(({ kind }) => kind === 'paid'));
  const promo = all(account.lots.filter(({ kind }) => kind === 'promo'));
  const waived = what === 'waive_paid' ? paid : [];
  const remains = sumOf(paid) - sumOf(waived);
  return [
    {
      type: 'CreditAccountClosed',
      data: {
        reason,
        forfeitedPromo: allocationOf(promo),
        waivedPaid: allocationOf(waived),
        remainingPaid: microText(remains),
        disposition: remains > 0n ? 'refund_due' : 'zero',
        at,
      },
    },
  ];
};
