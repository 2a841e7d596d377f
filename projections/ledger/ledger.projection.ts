import type {
  CreditAccountEvent,
  CreditsPurchased,
  ShortfallRecorded,
  Totals,
} from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import { cachedTokens, completionTokens, promptTokens } from '../../src/kernel/usage.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { chargedFor, sumOf, takenFromLots } from '../balance/charge.ts';
import { ledgerTable, unifiedHistoryTable } from './ledger.table.ts';

type OnAccount = Pick<Projected<CreditAccountEvent>, 'id' | 'stream' | 'revision'> &
  Readonly<{ data: Readonly<{ at: string; after: Totals }> }>;
type Captured = Projected<Extract<CreditAccountEvent, { type: 'ReservationCaptured' }>>;

type Line = Readonly<{
  /** In the words of the reference's clients. */
  type: 'signup_bonus' | 'adjustment' | 'expiry' | 'consumption' | 'purchase' | 'refund' | 'refund_adjustment';
  net: MicroUsd;
  description: string;
  requestId?: string;
  /** Of a purchase: what was paid without tax, and the fee in it. */
  gross?: MicroUsd;
  fee?: MicroUsd;
  chargeRef?: string | null;
}>;

/** What the user owns right after the event: lots and holds, less what is owed. */
const balanceOf = ({ paid, promo, held, shortfall }: Totals): MicroUsd =>
  microOf(paid) + microOf(promo) + microOf(held) - microOf(shortfall);

const line = ({ id, stream, revision, data }: OnAccount, said: Line): RowOp => ({
  op: 'insert',
  table: ledgerTable,
  row: {
    user_id: accountOwner(stream),
    revision,
    line: 0,
    entry_id: id,
    type: said.type,
    net_micro: said.net,
    gross_micro: said.gross ?? null,
    fee_micro: said.fee ?? null,
    balance_after_micro: balanceOf(data.after),
    description: said.description,
    charge_ref: said.chargeRef ?? null,
    request_id: said.requestId ?? null,
    at: data.at,
  },
});

type Shown = Readonly<{
  type: 'purchase' | 'bonus' | 'expiry' | 'refund' | 'adjustment';
  price: MicroUsd;
  model: string;
  description: string;
}>;

const shown = ({ id, stream, data }: OnAccount, { type, price, model, description }: Shown): RowOp => ({
  op: 'insert',
  table: unifiedHistoryTable,
  row: {
    user_id: accountOwner(stream),
    id,
    at: data.at,
    type,
    price_micro: price,
    model,
    input_tokens: null,
    output_tokens: null,
    cache_write_tokens: null,
    cache_read_tokens: null,
    balance_after_micro: balanceOf(data.after),
    description,
    request_id: null,
  },
});

/** A line of the ledger and the same thing in the history. */
const both = (event: OnAccount, said: Line, { type, model }: Pick<Shown, 'type' | 'model'>): readonly RowOp[] =>
  said.net === 0n
    ? []
    : [line(event, said), shown(event, { type, price: said.net, model, description: said.description })];

const cents = (minor: number): MicroUsd => BigInt(minor) * 10_000n;

const purchased = (event: Projected<CreditsPurchased>): readonly RowOp[] => {
  const { credit, grossMinor, feeMinor, source, chargeRef } = event.data;
  const how = source === 'checkout' ? 'Credit purchase' : 'Automatic credit purchase';
  const description = chargeRef === null ? how : `${how} via Stripe charge ${chargeRef}`;
  const paid = { gross: cents(grossMinor), fee: cents(feeMinor), chargeRef };
  return both(
    event,
    { type: 'purchase', net: microOf(credit), description, ...paid },
    { type: 'purchase', model: 'Credit Purchase' },
  );
};

const BACK = { refund: 'Credits of a refunded purchase', dispute: 'Credits of a disputed purchase' } as const;

/** What refunds and disputes leave owed is its own line. */
const owedLine = (event: Projected<ShortfallRecorded>): readonly RowOp[] => {
  const { amount, cause, ref } = event.data;
  const net = -microOf(amount);
  if (cause !== 'overrun') {
    const description = `${BACK[cause]}, spent already and owed`;
    return both(event, { type: 'refund', net, description }, { type: 'refund', model: 'Refund' });
  }
  const description = 'API usage beyond the balance, owed';
  return [line(event, { type: 'consumption', net, description, requestId: ref })];
};

const shownUsage = ({ id, stream, data }: Captured, charged: MicroUsd): RowOp => ({
  op: 'insert',
  table: unifiedHistoryTable,
  row: {
    user_id: accountOwner(stream),
    id,
    at: data.at,
    type: 'usage',
    price_micro: -charged,
    model: data.work.modelId,
    input_tokens: BigInt(promptTokens(data.metered.usage)),
    output_tokens: BigInt(completionTokens(data.metered.usage)),
    cache_write_tokens: BigInt(data.metered.usage.inputCacheWrite),
    cache_read_tokens: BigInt(cachedTokens(data.metered.usage)),
    // What could not be paid is recorded as owed by the next event.
    balance_after_micro: balanceOf(data.after) - microOf(data.shortfall),
    description: `${data.work.modelId} API Usage`,
    request_id: data.reservationId,
  },
});

const captured = (event: Captured): readonly RowOp[] => {
  const { reservationId, work } = event.data;
  const charged = chargedFor(event.data);
  if (charged === 0n) return [];
  const taken = takenFromLots(event.data);
  const usage = shownUsage(event, charged);
  if (taken === 0n) return [usage];
  const description = `${work.modelId} API Usage`;
  return [line(event, { type: 'consumption', net: -taken, description, requestId: reservationId }), usage];
};

/** The user's ledger, to the micro-dollar, and the history that the apps show. Holds are no lines: nothing is spent. */
export const ledgerProjection = defineProjection<CreditAccountEvent>({
  name: 'ledger',
  version: 2,
  tables: [ledgerTable, unifiedHistoryTable],
  streamPrefixes: creditAccountStreams,
  upcasters: creditAccountUpcasters,
  on: {
    PromoCreditsGranted: (event) => {
      const { reason, amount } = event.data;
      const net = microOf(amount);
      const description = reason === 'signup' ? 'Free credits for signing up' : 'Free credits';
      return [
        line(event, { type: reason === 'signup' ? 'signup_bonus' : 'adjustment', net, description }),
        shown(event, { type: 'bonus', price: net, model: 'Free Credits', description }),
      ];
    },
    PromoCreditsExpired: (event) => {
      const net = -microOf(event.data.amount);
      const description = 'Free credits expired';
      return [
        line(event, { type: 'expiry', net, description }),
        shown(event, { type: 'expiry', price: net, model: 'Free Credits', description }),
      ];
    },
    ReservationCaptured: captured,
    ShortfallRecorded: owedLine,
    ShortfallWrittenOff: (event) =>
      both(
        event,
        { type: 'adjustment', net: microOf(event.data.amount), description: 'What was owed, written off' },
        { type: 'adjustment', model: 'Adjustment' },
      ),
    CreditsPurchased: purchased,
    CreditsClawedBack: (event) => {
      const { cause, taken } = event.data;
      return both(
        event,
        { type: 'refund', net: -sumOf(taken), description: BACK[cause] },
        { type: 'refund', model: 'Refund' },
      );
    },
    ClawbackReversed: (event) => {
      const description = event.data.cause === 'refund' ? 'A refund has failed' : 'A dispute was won';
      return both(
        event,
        { type: 'refund_adjustment', net: microOf(event.data.amount), description },
        { type: 'refund', model: 'Refund' },
      );
    },
    CreditsAdjusted: (event) =>
      both(
        event,
        { type: 'adjustment', net: microOf(event.data.amount), description: 'Adjustment by the support' },
        { type: 'adjustment', model: 'Adjustment' },
      ),
    CreditAccountClosed: (event) => {
      const { forfeitedPromo, waivedPaid } = event.data;
      const net = -sumOf([...forfeitedPromo, ...waivedPaid]);
      const description = 'Credits given up with the account';
      return both(event, { type: 'adjustment', net, description }, { type: 'adjustment', model: 'Adjustment' });
    },
  },
});
