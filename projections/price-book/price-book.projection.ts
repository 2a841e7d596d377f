import { CATALOGUE, type CatalogueEvent, type NamedPrice } from '../../src/events/catalogue/catalogue.events.ts';
import { catalogueUpcasters } from '../../src/events/catalogue/catalogue.upcasters.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import { priceBookTable } from './price-book.table.ts';

type Change = Readonly<{ modelId: string; reason: string | null }>;

const row = (
  { type, data, revision, position, metadata: { actor } }: Projected<CatalogueEvent>,
  { modelId, reason }: Change,
  named: NamedPrice | null,
): RowOp => ({
  op: 'insert',
  table: priceBookTable,
  row: {
    model_id: modelId,
    revision,
    position: position.commit,
    said_by: type,
    price_version: named?.priceVersion ?? null,
    rates: named?.price ?? null,
    at: data.at,
    reason,
    actor_kind: actor.kind,
    actor_id: actor.id,
  },
});

/** Every price that a model has ever had, with the event that said so. */
export const priceBookProjection = defineProjection<CatalogueEvent>({
  name: 'price-book',
  version: 1,
  tables: [priceBookTable],
  streamPrefixes: [`${CATALOGUE}-`],
  upcasters: catalogueUpcasters,
  on: {
    PriceBookPublished: (event) =>
      event.data.prices.map((named) => row(event, { modelId: named.modelId, reason: null }, named)),
    ModelAdded: (event) => [row(event, event.data, event.data)],
    ModelPriceChanged: (event) => [row(event, event.data, event.data)],
    ModelPriceReverted: (event) => [row(event, event.data, event.data.inForce)],
    ModelRemoved: (event) => [row(event, event.data, null)],
  },
});
