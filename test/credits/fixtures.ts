import type {
  CaptureReservation,
  CreditCommand,
  OpenAccount,
  Outcome,
  ReleaseReservation,
  ReserveFunds,
} from '../../commands/credits/credits.commands.ts';
import type { AdjustCredits, ClawBackCredits, PurchaseCredits } from '../../commands/credits/funding.commands.ts';
import type { CreditAccountEvent, Metered, Work } from '../../src/events/credit-account/credit-account.events.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { creditAccountDecider } from '../../commands/credits/credits.decider.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import { fold } from '../../src/kernel/decider.ts';

export const USER = '11111111-1111-4111-8111-111111111111';
export const T0 = '2026-01-01T00:00:00.000Z';

/** T0 plus some seconds. */
export const at = (seconds: number): string => new Date(Date.parse(T0) + seconds * 1000).toISOString();

export const work: Work = {
  kind: 'chat',
  taskType: 'general',
  modelId: 'sandbox/echo',
  provider: 'sandbox',
  priceVersion: 'v1',
  streamed: true,
};

/** A metered answer of this cost. */
export const metered = (cost: MicroUsd): Metered => ({
  usage: {
    inputUncached: 1,
    inputCachedRead: 0,
    inputCacheWrite: 0,
    outputVisible: 1,
    outputReasoning: 0,
    source: 'final',
    complete: true,
  },
  rawUsage: null,
  lines: [],
  costPico: (cost * 1_000_000n).toString(),
  cost: cost.toString(),
});

export const outcome = (cost: MicroUsd): Outcome => ({
  metered: metered(cost),
  estimated: false,
  finish: 'stop',
  endedBy: 'provider',
  upstreamId: null,
  durationMs: 1000,
});

export const openAccount = (grant: MicroUsd, expiresInSeconds = 1_000_000): OpenAccount => ({
  type: 'OpenAccount',
  key: `account:${USER}`,
  data: { userId: USER, signupGrant: grant, grantExpiresAt: at(expiresInSeconds), at: T0 },
});

export const reserve = (id: string, estimate: MicroUsd, seconds = 1, margin: MicroUsd = 0n): ReserveFunds => ({
  type: 'ReserveFunds',
  key: `reserve:${id}`,
  data: { reservationId: id, work, estimate, margin, leaseUntil: at(seconds + 30), at: at(seconds) },
});

export const capture = (id: string, cost: MicroUsd, seconds = 2): CaptureReservation => ({
  type: 'CaptureReservation',
  key: `capture:${id}`,
  data: { reservationId: id, outcome: outcome(cost), at: at(seconds) },
});

export const release = (id: string, seconds = 2): ReleaseReservation => ({
  type: 'ReleaseReservation',
  key: `release:${id}`,
  data: { reservationId: id, reason: 'provider_failed', at: at(seconds) },
});

/** A purchase of `grossMinor` cents, a tenth of which is the fee; tax comes on top. */
export const purchase = (purchaseId: string, grossMinor: number, seconds = 1): PurchaseCredits => ({
  type: 'PurchaseCredits',
  key: `purchase:${purchaseId}`,
  data: {
    purchaseId,
    grossMinor,
    feeMinor: Math.round(grossMinor / 10),
    taxMinor: Math.round(grossMinor / 5),
    source: 'checkout',
    chargeRef: `ch_${purchaseId}`,
    at: at(seconds),
  },
});

export const clawBack = (
  clawbackId: string,
  purchaseId: string,
  amount: MicroUsd,
  seconds = 1,
  cause: 'refund' | 'dispute' = 'refund',
): ClawBackCredits => ({
  type: 'ClawBackCredits',
  key: `${cause}:${clawbackId}`,
  data: { clawbackId, purchaseId, cause, amount, at: at(seconds) },
});

/** An adjustment by `admin-1`; another administrator is needed above 2 USD. */
export const adjust = (
  adjustmentId: string,
  amount: MicroUsd,
  seconds = 1,
  { bucket = 'paid', note = 'n' }: Readonly<{ bucket?: 'paid' | 'promo'; note?: string }> = {},
): AdjustCredits => ({
  type: 'AdjustCredits',
  key: `adjust:${adjustmentId}`,
  data: {
    adjustmentId,
    amount,
    bucket,
    ...(bucket === 'promo' && amount > 0n ? { expiresAt: at(seconds + 600) } : {}),
    reasonCode: 'correction',
    note: { k: 'k', iv: 'iv', ct: 'ct', tag: 'tag' },
    noteDigest: note,
    by: 'admin-1',
    fourEyesAbove: 2_000_000n,
    at: at(seconds),
  },
});

/** The events of commands decided one after the other on an empty account. */
export const history = (...commands: readonly CreditCommand[]): readonly CreditAccountEvent[] => {
  const events: CreditAccountEvent[] = [];
  for (const command of commands) events.push(...creditAccountDecider.decide(command, stateOf(events)));
  return events;
};

/** The account after these events. */
export const stateOf = (events: readonly CreditAccountEvent[]): CreditAccount =>
  fold(creditAccountDecider, creditAccountDecider.initial, events);
