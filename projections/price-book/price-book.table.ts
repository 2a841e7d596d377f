import { defineTable } from '../../src/kernel/table.ts';

/** One row for each time that something was said about a model's price. It belongs to no user. */
export const priceBookTable = defineTable({
  name: 'price_book',
  columns: {
    model_id: { type: 'text' },
    /** Of the event, in the one stream of the catalogue. */
    revision: { type: 'bigint' },
    position: { type: 'bigint' },
    /** The event that said it. */
    said_by: { type: 'text' },
    /** Null when the model is gone. */
    price_version: { type: 'text', nullable: true },
    /** Pico-USD in decimal digits; null when the model is gone. */
    rates: { type: 'jsonb', nullable: true },
    at: { type: 'timestamptz' },
    reason: { type: 'text', nullable: true },
    actor_kind: { type: 'text' },
    actor_id: { type: 'text' },
  },
  key: ['model_id', 'revision'],
});
