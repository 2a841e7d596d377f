import { priceBookTable } from '../../projections/price-book/price-book.table.ts';
import { priceFromText, priceInUsd, type PriceText } from '../../src/kernel/price-text.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type PriceRow = Readonly<{
  position: bigint;
  said_by: string;
  price_version: string | null;
  rates: PriceText | null;
  at: string;
  reason: string | null;
  actor_kind: string;
  actor_id: string;
}>;

/** What was said about a model's price. `price` is in USD, `rates` is what charges are computed with. */
export type PriceEntry = Readonly<{
  position: string;
  event: string;
  priceVersion: string | null;
  price: object | null;
  rates: PriceText | null;
  from: string;
  reason: string | null;
  actor: Readonly<{ kind: string; id: string }>;
}>;

const entryOf = (row: PriceRow): PriceEntry => ({
  position: row.position.toString(),
  event: row.said_by,
  priceVersion: row.price_version,
  price: row.rates === null ? null : priceInUsd(priceFromText(row.rates)),
  rates: row.rates,
  from: row.at,
  reason: row.reason,
  actor: { kind: row.actor_kind, id: row.actor_id },
});

/** Every price of a model, newest first. */
export const priceHistoryOf = (modelId: string): Query<PriceRow, readonly PriceEntry[]> => ({
  statement: sql`select * from ${priceBookTable} where model_id = ${modelId} order by revision desc`,
  present: (rows) => rows.map(entryOf),
});
