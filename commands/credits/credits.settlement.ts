import type { Metered } from '../../src/events/credit-account/credit-account.events.ts';
import { isoAfter, notAfter } from '../../src/kernel/clock.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf, microText, minOf, type MicroUsd } from '../../src/kernel/money.ts';
import type { CaptureReservation, Outcome, ReleaseReservation, SettleAbandoned } from './credits.commands.ts';
import { holdOf, mustBeOpen, type Draft } from './credits.drafts.ts';
import { allocate, allocationOf, split, sumOf } from './credits.lots.ts';
import { REMEMBERED_MS, type CreditAccount, type Hold, type OpenAccountState } from './credits.state.ts';

/** What one request may cost beyond hold and lots before the rest is our loss. */
const MAX_OVERRUN: MicroUsd = 2_000_000n;

type Charge = Readonly<{ hold: Hold; outcome: Outcome; late: boolean; at: IsoTime }>;

/** Takes the cost from the hold, then from free lots; what neither covers is owed up to a limit, the rest is lost. */
const charge = (account: OpenAccountState, { hold, outcome, late, at }: Charge): readonly Draft[] => {
  const { reservationId, work, since } = hold;
  const cost = microOf(outcome.metered.cost);
  const { first: captured, rest: released } = split(hold.parts, cost);
  const beyond = cost - sumOf(captured);
  const overrun = allocate(account.lots, beyond, at);
  const uncovered = beyond - sumOf(overrun);
  const shortfall = minOf(uncovered, MAX_OVERRUN);
  const drafts: Draft[] = [
    {
      type: 'ReservationCaptured',
      data: {
        reservationId,
        work,
        ...outcome,
        startedAt: since,
        captured: allocationOf(captured),
        released: allocationOf(released),
        overrun: allocationOf(overrun),
        shortfall: microText(shortfall),
        writtenOff: microText(uncovered - shortfall),
        late,
        at,
      },
    },
  ];
  if (shortfall === 0n) return drafts;
  const shortfallId = uuidOf(`shortfall:${reservationId}`);
  const amount = microText(shortfall);
  return [
    ...drafts,
    { type: 'ShortfallRecorded', data: { shortfallId, amount, cause: 'overrun', ref: reservationId, at } },
  ];
};

/** Charges an ended piece of work. */
export const capture = ({ data }: CaptureReservation, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  const { reservationId, outcome, at } = data;
  const hold = holdOf(account, reservationId);
  if (hold !== undefined) return charge(account, { hold, outcome, late: false, at });
  const ended = account.settled.find((entry) => entry.reservationId === reservationId);
  if (ended === undefined) throw new DomainError('not_found', 'no such reservation', { details: { reservationId } });
  // What comes after the end of an account, or a day after its lease was over, is our loss.
  if (ended.unfinished === null || account.closed || !notAfter(at, isoAfter(ended.at, REMEMBERED_MS))) return [];
  // The lease ran out although the work went on: what was given back is taken again.
  const { work, since } = ended.unfinished;
  const nothingHeld: Hold = { reservationId, work, since, parts: [], leaseUntil: at, soFar: null, budgets: [] };
  return charge(account, { hold: nothingHeld, outcome, late: true, at });
};

/** Gives a whole hold back; with `superseded`, forgets one whose lease is over, so that it can never be charged. */
export const release = ({ data }: ReleaseReservation, state: CreditAccount): readonly Draft[] => {
  const { reservationId, reason, at, failed = [] } = data;
  const account = mustBeOpen(state);
  const hold = holdOf(account, reservationId);
  if (reason === 'superseded') {
    const ended = account.settled.find((entry) => entry.reservationId === reservationId);
    if (hold !== undefined || (ended?.unfinished ?? null) === null) return [];
    return [{ type: 'ReservationReleased', data: { reservationId, reason, released: [], at } }];
  }
  if (hold === undefined) return [];
  const tried = failed.length === 0 ? {} : { failed };
  const released = allocationOf(hold.parts);
  return [{ type: 'ReservationReleased', data: { reservationId, reason, released, ...tried, at } }];
};

const abandonedOutcome = (hold: Hold, soFar: Metered): Outcome => ({
  metered: soFar,
  estimated: true,
  finish: null,
  endedBy: 'sweeper',
  upstreamId: null,
  durationMs: Date.parse(hold.leaseUntil) - Date.parse(hold.since),
});

/** Ends a hold whose owner died. */
export const settleAbandoned = ({ data }: SettleAbandoned, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  const { reservationId, graceMs, at } = data;
  const hold = holdOf(account, reservationId);
  if (hold === undefined || !notAfter(isoAfter(hold.leaseUntil, graceMs), at)) return [];
  if (hold.soFar !== null) {
    return charge(account, { hold, outcome: abandonedOutcome(hold, hold.soFar), late: false, at });
  }
  const released = allocationOf(hold.parts);
  return [{ type: 'ReservationLeaseExpired', data: { reservationId, released, lastSeenAt: hold.leaseUntil, at } }];
};
