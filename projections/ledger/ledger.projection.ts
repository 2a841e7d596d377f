import type { CreditAccountEvent, Totals } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import { cachedTokens, completionTokens, promptTokens } from '../../src/kernel/usage.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { chargedFor, takenFromLots } from '../balance/charge.ts';
import { ledgerTable, unifiedHistoryTable } from './ledger.table.ts';

type OnAccount = Pick<Projected<CreditAccountEvent>, 'id' | 'stream' | 'revision'> &
  Readonly<{ data: Readonly<{ at: string; after: Totals }> }>;
type Captured = Projected<Extract<CreditAccountEvent, { type: 'ReservationCaptured' }>>;

type Line = Readonly<{
  /** In the words of the reference's clients. */
  type: 'signup_bonus' | 'adjustment' | 'expiry' | 'consumption';
  net: MicroUsd;
  description: string;
  requestId?: string;
}>;

/** What the user owns right after the event: lots and holds, less what is owed. */
const balanceOf = ({ paid, promo, held, shortfall }: Totals): MicroUsd =>
  microOf(paid) + microOf(promo) + microOf(held) - microOf(shortfall);

const line = ({ id, stream, revision, data }: OnAccount, { type, net, description, requestId }: Line): RowOp => ({
  op: 'insert',
  table: ledgerTable,
  row: {
    user_id: accountOwner(stream),
    revision,
    line: 0,
    entry_id: id,
    type,
    net_micro: net,
    gross_micro: null,
    fee_micro: null,
    balance_after_micro: balanceOf(data.after),
    description,
    charge_ref: null,
    request_id: requestId ?? null,
    at: data.at,
  },
});

type Shown = Readonly<{ type: 'bonus' | 'expiry'; price: MicroUsd; model: string; description: string }>;

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
  version: 1,
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
    ShortfallRecorded: (event) => [
      line(event, {
        type: 'consumption',
        net: -microOf(event.data.amount),
        description: 'API usage beyond the balance, owed',
        requestId: event.data.ref,
      }),
    ],
  },
});
