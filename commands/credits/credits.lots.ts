import type { Allocation, Totals } from '../../src/events/credit-account/credit-account.events.ts';
import { notAfter } from '../../src/kernel/clock.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText, minOf, type MicroUsd } from '../../src/kernel/money.ts';
import type { Block, CreditAccount, Lot, OpenAccountState, Part } from './credits.state.ts';

/** True when the lot's time is over. */
export const isExpired = (lot: Lot, at: IsoTime): boolean => lot.expiresAt !== undefined && notAfter(lot.expiresAt, at);

const sum = (amounts: readonly MicroUsd[]): MicroUsd => amounts.reduce((total, amount) => total + amount, 0n);

/** What an amount is made of. */
export const sumOf = (parts: readonly Part[]): MicroUsd => sum(parts.map(({ m }) => m));

/** What the account owes. */
export const shortfallOf = ({ owed }: Pick<OpenAccountState, 'owed'>): MicroUsd => sum(owed.map(({ m }) => m));

/** The block that keeps the account from spending. */
export const blockOf = ({ blocks }: Pick<OpenAccountState, 'blocks'>): Block | undefined =>
  blocks.find(({ lifted }) => !lifted);

/** What the unexpired lots hold. */
export const freeIn = (lots: readonly Lot[], at: IsoTime): MicroUsd =>
  sum(lots.filter((lot) => !isExpired(lot, at)).map(({ remaining }) => remaining));

/**
 * The one answer to "how much can this account spend now": what its unexpired lots hold; nothing while it owes, is
 * blocked or is closed.
 */
export const available = (account: CreditAccount, at: IsoTime): MicroUsd =>
  account.status === 'none' || account.closed || account.owed.length > 0 || blockOf(account) !== undefined
    ? 0n
    : freeIn(account.lots, at);

/** What there is, free or on hold, less what is owed: the number that low balance is judged by. */
export const owned = (account: OpenAccountState, at: IsoTime): MicroUsd =>
  freeIn(account.lots, at) + sum(account.holds.map(({ parts }) => sumOf(parts))) - shortfallOf(account);

/** Promo first, by earliest expiry, so that nothing expires unused; then paid, oldest first. */
const spendingOrder = (a: Lot, b: Lot): number => {
  if (a.kind !== b.kind) return a.kind === 'promo' ? -1 : 1;
  const left = a.expiresAt ?? a.since;
  const right = b.expiresAt ?? b.since;
  return Date.parse(left) - Date.parse(right) || (a.lotId < b.lotId ? -1 : 1);
};

/** A part of a lot. */
export const partOf = ({ lotId, kind }: Pick<Lot, 'lotId' | 'kind'>, m: MicroUsd): Part =>
  kind === 'paid' ? { lotId, m, kind } : { lotId, m };

/** Takes up to `amount` from the unexpired lots in spending order. */
export const allocate = (lots: readonly Lot[], amount: MicroUsd, at: IsoTime): readonly Part[] => {
  let missing = amount;
  const parts: Part[] = [];
  for (const lot of lots.filter((candidate) => !isExpired(candidate, at)).sort(spendingOrder)) {
    const m = minOf(lot.remaining, missing);
    if (m <= 0n) continue;
    parts.push(partOf(lot, m));
    missing -= m;
  }
  return parts;
};

/** Splits held parts into the first `amount` of them, in their order, and the rest. */
export const split = (parts: readonly Part[], amount: MicroUsd): Readonly<{ first: Part[]; rest: Part[] }> => {
  let missing = amount;
  const first: Part[] = [];
  const rest: Part[] = [];
  for (const part of parts) {
    const { m } = part;
    const used = minOf(m, missing);
    if (used > 0n) first.push({ ...part, m: used });
    if (m > used) rest.push({ ...part, m: m - used });
    missing -= used;
  }
  return { first, rest };
};

/** Parts as an event carries them. */
export const allocationOf = (parts: readonly Part[]): readonly Allocation[] =>
  parts.map((part) => ({ ...part, m: microText(part.m) }));

/** The account's sums as an event carries them. */
export const totalsOf = (account: CreditAccount): Totals => {
  if (account.status === 'none') return { paid: '0', promo: '0', held: '0', shortfall: '0' };
  const inLots = (kind: Lot['kind']): MicroUsd =>
    sum(account.lots.filter((lot) => lot.kind === kind).map(({ remaining }) => remaining));
  return {
    paid: microText(inLots('paid')),
    promo: microText(inLots('promo')),
    held: microText(sum(account.holds.map(({ parts }) => sumOf(parts)))),
    shortfall: microText(shortfallOf(account)),
  };
};
