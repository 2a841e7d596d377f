import type {
  Allocation,
  ClawbackCause,
  CreditAccountEvent,
  ReservationCaptured,
} from '../../src/events/credit-account/credit-account.events.ts';
import { microOf } from '../../src/kernel/money.ts';
import { credit, debit, type Account, type Posting } from './accounts.ts';

const MICRO_PER_CENT = 10_000n;

type Place = Readonly<{ paid: Account; promo: Account }>;

const FREE: Place = { paid: '2000', promo: '2010' };
const HELD: Place = { paid: '2100', promo: '2110' };
/** Where used credit goes: paid credit becomes revenue, promo credit never was money. */
const USED: Place = { paid: '4000', promo: '1900' };
const GONE: Place = { paid: '4200', promo: '1900' };

/** Each part of an allocation leaves one place and comes to another. */
const moved = (
  alloc: readonly Allocation[],
  from: Place,
  to: Place,
  about: Pick<Posting, 'requestId'> = {},
): readonly Posting[] =>
  alloc.flatMap(({ lotId, m, kind: paid }) => {
    const amount = microOf(m);
    const kind: keyof Place = paid ?? 'promo';
    return [debit(from[kind], amount, { lotId, ...about }), credit(to[kind], amount, { lotId, ...about })];
  });

const held = (alloc: readonly Allocation[], requestId: string): readonly Posting[] =>
  moved(alloc, FREE, HELD, { requestId });

const givenBack = (data: Readonly<{ released: readonly Allocation[]; reservationId: string }>): readonly Posting[] =>
  moved(data.released, HELD, FREE, { requestId: data.reservationId });

const captured = (data: ReservationCaptured['data']): readonly Posting[] => {
  const about = { requestId: data.reservationId };
  return [...moved(data.captured, HELD, USED, about), ...givenBack(data), ...moved(data.overrun, FREE, USED, about)];
};

/** Where the money of a purchase waits while it is going back, or is in dispute. */
const waitingFor = (cause: ClawbackCause): Account => (cause === 'refund' ? '2300' : '2350');

const taken = (alloc: readonly Allocation[]): readonly Posting[] =>
  alloc.map(({ lotId, m }) => debit('2000', microOf(m), { lotId }));

const promo = (lotId: string, amount: bigint): readonly Posting[] => [
  debit('1900', amount, { lotId }),
  credit('2010', amount, { lotId }),
];

type Postings = {
  readonly [T in CreditAccountEvent['type']]: (
    data: Extract<CreditAccountEvent, { type: T }>['data'],
  ) => readonly Posting[];
};

const nothing = (): readonly Posting[] => [];

const postings: Postings = {
  CreditAccountOpened: nothing,
  PromoCreditsGranted: ({ lotId, amount }) => promo(lotId, microOf(amount)),
  PromoCreditsExpired: ({ lotId, amount }) => promo(lotId, -microOf(amount)),
  FundsReserved: ({ alloc, reservationId }) => held(alloc, reservationId),
  ReservationExtended: ({ alloc, reservationId }) => held(alloc, reservationId),
  ReservationCaptured: captured,
  ReservationReleased: givenBack,
  ReservationLeaseExpired: givenBack,
  // What refunds and disputes leave owed is posted with the clawback itself.
  ShortfallRecorded: ({ amount, cause, ref }) =>
    cause === 'overrun'
      ? [debit('1100', microOf(amount), { requestId: ref }), credit('4000', microOf(amount), { requestId: ref })]
      : [],
  ShortfallSettled: ({ amount, alloc }) => [...taken(alloc), credit('1100', microOf(amount))],
  ShortfallWrittenOff: ({ amount }) => [debit('5300', microOf(amount)), credit('1100', microOf(amount))],
  CreditsPurchased: ({ purchaseId, lotId, credit: given, grossMinor, feeMinor, taxMinor }) => {
    const cents = (minor: number): bigint => BigInt(minor) * MICRO_PER_CENT;
    return [
      debit('2450', cents(grossMinor + taxMinor), { purchaseId }),
      credit('2000', microOf(given), { purchaseId, lotId }),
      credit('4100', cents(feeMinor), { purchaseId }),
      credit('2200', cents(taxMinor), { purchaseId }),
    ];
  },
  // What a purchase had left is less than what goes back when both a refund and a dispute took it: the rest is our loss.
  CreditsClawedBack: ({ purchaseId, cause, requested, taken: alloc, shortfall }) => {
    const all = alloc.reduce((sum, { m }) => sum + microOf(m), microOf(shortfall));
    return [
      ...taken(alloc),
      debit('1100', microOf(shortfall), { purchaseId }),
      debit('5300', microOf(requested) - all, { purchaseId }),
      credit(waitingFor(cause), microOf(requested), { purchaseId }),
    ];
  },
  ClawbackReversed: ({ purchaseId, cause, amount, lotId, ours = '0' }) => [
    debit(waitingFor(cause), microOf(amount) + microOf(ours), { purchaseId }),
    credit('2000', microOf(amount), { purchaseId, lotId }),
    credit('5300', microOf(ours), { purchaseId }),
  ],
  AdjustmentRequested: nothing,
  AdjustmentRejected: nothing,
  CreditsAdjusted: ({ amount: text, bucket, lotId, taken: alloc }) => {
    const amount = microOf(text);
    if (lotId !== null) {
      return bucket === 'promo'
        ? promo(lotId, amount)
        : [debit('5300', amount, { lotId }), credit('2000', amount, { lotId })];
    }
    return moved(alloc, FREE, { paid: '5300', promo: '1900' });
  },
  SpendingBlocked: nothing,
  SpendingUnblocked: nothing,
  SpendingLimitsSet: nothing,
  SpendingLimitReached: nothing,
  LowBalanceNoticed: nothing,
  SpendingAnomalyNoticed: nothing,
  BooksClosed: nothing,
  CreditAccountClosed: ({ forfeitedPromo, waivedPaid }) => moved([...forfeitedPromo, ...waivedPaid], FREE, GONE),
};

/** The lines of an event's entry, without those of nothing; they balance to zero. */
export const accountPostings = ({ type, data }: CreditAccountEvent): readonly Posting[] =>
  (postings[type] as (data: CreditAccountEvent['data']) => readonly Posting[])(data).filter(
    ({ dr, cr }) => dr !== 0n || cr !== 0n,
  );
