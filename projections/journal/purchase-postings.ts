import type { PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { microOf } from '../../src/kernel/money.ts';
import { credit, debit, type Posting } from './accounts.ts';

const MICRO_PER_CENT = 10_000n;
const cents = (minor: number): bigint => BigInt(minor) * MICRO_PER_CENT;

type Parts = Readonly<{
  amountMinor: number;
  taxMinor: number;
  creditPart: string;
  feePartMinor: number;
  credited?: boolean;
}>;

/** Money that goes back, by what it was received for; `sign` -1n: it comes here again. */
const goingBack = (
  { amountMinor, taxMinor, creditPart, feePartMinor, credited }: Parts,
  sign: 1n | -1n,
): readonly Posting[] => {
  const [amount, tax, fee] = [cents(amountMinor), cents(taxMinor), cents(feePartMinor)];
  const given = microOf(creditPart);
  // What never became credit leaves the account where it waited.
  if (!(credited ?? given + fee + tax !== 0n)) return [debit('2450', sign * amount), credit('1000', sign * amount)];
  return [
    debit('2300', sign * given),
    debit('4100', sign * fee),
    debit('2200', sign * tax),
    debit('5300', sign * (amount - given - fee - tax)),
    credit('1000', sign * amount),
  ];
};

const lines = (event: PurchaseEvent): readonly Posting[] => {
  switch (event.type) {
    case 'PaymentSucceeded': {
      const amount = cents(event.data.amountMinor);
      return [debit('1000', amount), credit('2450', amount)];
    }
    case 'RefundRecorded':
      return goingBack(event.data, 1n);
    case 'RefundFailed':
      return goingBack(event.data, -1n);
    case 'DisputeOpened':
    case 'DisputeWon': {
      const amount = cents(event.data.amountMinor) * (event.type === 'DisputeOpened' ? 1n : -1n);
      return [debit('2350', amount), credit('1000', amount)];
    }
    case 'DisputeLost': {
      const { amountMinor, creditPart, lossFeeMinor, credited = true } = event.data;
      const rest = cents(amountMinor) - microOf(creditPart);
      const fee = cents(lossFeeMinor);
      // What never became credit was not ours to lose: it still waited.
      const from = credited ? '5300' : '2450';
      return [debit(from, rest), debit('5300', fee), credit('2350', rest), credit('1000', fee)];
    }
    case 'ProcessorFeeLearned': {
      const fee = cents(event.data.feeMinor);
      return [debit('5100', fee), credit('1000', fee)];
    }
    default:
      return [];
  }
};

/** The lines of what happened to a payment, without those of nothing; they balance to zero. */
export const purchasePostings = (event: PurchaseEvent): readonly Posting[] =>
  lines(event)
    .filter(({ dr, cr }) => dr !== 0n || cr !== 0n)
    .map((posting) => ({ ...posting, purchaseId: event.data.purchaseId }));
