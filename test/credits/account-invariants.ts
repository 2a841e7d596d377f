import { expect } from 'chai';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { available, totalsOf } from '../../commands/credits/credits.lots.ts';
import type { CreditAccount, OpenAccountState } from '../../commands/credits/credits.state.ts';
import { accountPostings } from '../../projections/journal/account-postings.ts';
import type { Allocation, CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { reserve } from './fixtures.ts';

const sum = (alloc: readonly Allocation[]): bigint => alloc.reduce((total, { m }) => total + BigInt(m), 0n);

const empty: OpenAccountState | undefined = undefined;
const open = (state: CreditAccount): OpenAccountState | undefined => (state.status === 'open' ? state : empty);

const partsOf = (state: CreditAccount, reservationId: string): ReadonlyMap<string, bigint> => {
  const parts = new Map<string, bigint>();
  const holds = open(state)?.holds.filter((hold) => hold.reservationId === reservationId) ?? [];
  for (const { lotId, m } of holds.flatMap((hold) => hold.parts)) parts.set(lotId, (parts.get(lotId) ?? 0n) + m);
  return parts;
};

const byLot = (alloc: readonly Allocation[]): ReadonlyMap<string, bigint> => {
  const parts = new Map<string, bigint>();
  for (const { lotId, m } of alloc) parts.set(lotId, (parts.get(lotId) ?? 0n) + BigInt(m));
  return parts;
};

const total = (parts: ReadonlyMap<string, bigint>): bigint => [...parts.values()].reduce((all, m) => all + m, 0n);

/** Paid credit is taken only when no unexpired promo credit is left, and an older paid lot before a newer one. */
const checkOrder = (before: CreditAccount, alloc: readonly Allocation[], at: string): void => {
  const lots = open(before)?.lots ?? [];
  const taken = byLot(alloc);
  const left = (lotId: string, remaining: bigint): bigint => remaining - (taken.get(lotId) ?? 0n);
  const promoLeft = lots
    .filter(({ kind, expiresAt }) => kind === 'promo' && expiresAt !== undefined && expiresAt > at)
    .reduce((all, { lotId, remaining }) => all + left(lotId, remaining), 0n);
  const paid = lots.filter(({ kind, lotId }) => kind === 'paid' && taken.has(lotId));
  if (paid.length > 0) expect(promoLeft, 'promo credit goes first').to.equal(0n);
  for (const newer of paid) {
    for (const older of lots.filter(({ kind, since }) => kind === 'paid' && since < newer.since)) {
      expect(left(older.lotId, older.remaining), 'older paid credit goes first').to.equal(0n);
    }
  }
  for (const { lotId, kind } of alloc) {
    expect(kind ?? 'promo', 'an allocation tells the kind of its lot').to.equal(
      lots.find((lot) => lot.lotId === lotId)?.kind,
    );
  }
};

const checkEvent = (before: CreditAccount, event: CreditAccountEvent): void => {
  const { data } = event;
  switch (event.type) {
    case 'FundsReserved':
    case 'ReservationExtended':
      checkOrder(before, event.data.alloc, data.at);
      break;
    case 'ReservationCaptured': {
      const { captured, released, overrun, shortfall, writtenOff, metered, reservationId } = event.data;
      const held = total(partsOf(before, reservationId));
      expect(sum(captured) + sum(released), 'all of the hold is accounted for').to.equal(held);
      expect(sum(captured) + sum(overrun) + BigInt(shortfall) + BigInt(writtenOff)).to.equal(BigInt(metered.cost));
      if (sum(released) > 0n) expect(BigInt(metered.cost) < held).to.equal(true);
      break;
    }
    case 'ReservationReleased':
    case 'ReservationLeaseExpired':
      expect(byLot(event.data.released), 'each part goes back to its lot').to.deep.equal(
        partsOf(before, event.data.reservationId),
      );
      break;
    case 'CreditsPurchased': {
      const { credit, grossMinor, feeMinor, purchaseId } = event.data;
      expect(BigInt(credit)).to.equal(BigInt(grossMinor - feeMinor) * 10_000n);
      const same = open(before)?.lots.filter(({ purchase }) => purchase?.purchaseId === purchaseId);
      expect(same, 'one lot for each purchase').to.deep.equal([]);
      break;
    }
    case 'CreditsClawedBack':
      for (const { kind } of event.data.taken) expect(kind, 'a clawback never takes promo credit').to.equal('paid');
      break;
    default:
  }
};

const AFTER_THE_END = new Set<CreditAccountEvent['type']>([
  'CreditsClawedBack',
  'ShortfallRecorded',
  'ShortfallSettled',
  'ShortfallWrittenOff',
  'ClawbackReversed',
  'SpendingUnblocked',
  'ReservationReleased',
  'BooksClosed',
]);

const checkState = (state: CreditAccount): void => {
  for (const lot of open(state)?.lots ?? []) {
    expect(lot.remaining >= 0n, 'no lot below zero').to.equal(true);
    if (lot.purchase === null) continue;
    const { clawed, credit } = lot.purchase;
    expect(clawed >= 0n && clawed <= credit, 'no more is clawed back than was bought').to.equal(true);
  }
  for (const { m } of open(state)?.owed ?? []) expect(m > 0n).to.equal(true);
};

const refuses = (state: CreditAccount, at: string): boolean => {
  const probe = reserve('probe', 1n, 0);
  try {
    decider.decide({ ...probe, data: { ...probe.data, at } }, state);
    return false;
  } catch (error) {
    if (isDomainError(error)) return true;
    throw error;
  }
};

/** What holds when an append is whole. */
const checkAppend = (state: CreditAccount, events: readonly CreditAccountEvent[]): void => {
  const account = open(state);
  const last = events.at(-1);
  if (account === undefined || last === undefined) return;
  const { at } = last.data;
  const { paid, shortfall } = totalsOf(state);
  if (shortfall !== '0') expect(paid, 'nothing is owed while there is paid credit').to.equal('0');
  const stuck = shortfall !== '0' || account.closed || account.blocks.some(({ lifted }) => !lifted);
  if (stuck) {
    expect(available(state, at)).to.equal(0n);
    expect(refuses(state, at), 'nothing new begins while something is owed or blocked').to.equal(true);
  }
  events.forEach((event, index) => {
    const owed = 'shortfall' in event.data ? event.data.shortfall : '0';
    if (owed !== '0') expect(events[index + 1]?.type).to.equal('ShortfallRecorded');
  });
};

/** What an account says, checked as it says it; hands on the state after it. `whole` false: the append may go on. */
export const checked = (
  before: CreditAccount,
  events: readonly CreditAccountEvent[],
  { whole = true }: Readonly<{ whole?: boolean }> = {},
): CreditAccount => {
  let state = before;
  for (const event of events) {
    checkEvent(state, event);
    if (open(state)?.closed === true) expect(AFTER_THE_END.has(event.type), event.type).to.equal(true);
    state = decider.evolve(state, event);
    expect(event.data.after).to.deep.equal(totalsOf(state));
    checkState(state);
    const lines = accountPostings(event);
    expect(
      lines.reduce((all, { dr, cr }) => all + dr - cr, 0n),
      `the entry of ${event.type}`,
    ).to.equal(0n);
  }
  if (whole) checkAppend(state, events);
  return state;
};
