import { priceBookProjection } from '../../projections/price-book/price-book.projection.ts';
import { priceBookTable } from '../../projections/price-book/price-book.table.ts';
import { expect } from 'chai';
import { givenProjection } from '../support/given-projection.ts';
import { at, dearText, newcomer } from './fixtures.ts';

const stream = 'catalogue-main';
const admin = { kind: 'admin', id: 'b2a3c1e0-6a5e-4b7e-9d5c-0a4b6c1d2e3f' } as const;
const cheap = { input: '1', output: '2' };

const book = {
  stream,
  type: 'PriceBookPublished',
  data: {
    book: 'b',
    contentHash: 'h',
    prices: [
      { modelId: 'one', price: cheap, priceVersion: 'b/1' },
      { modelId: 'two', price: cheap, priceVersion: 'b/1' },
    ],
    at,
  },
};
const said = (type: string, data: object) => ({
  stream,
  type,
  data: { modelId: 'two', at, reason: 'why', ...data },
  actor: admin,
});

describe('the price book as a read model', function () {
  this.timeout(60_000);

  it('keeps everything that was said about a price, and by whom', async () => {
    const rows = await givenProjection(priceBookProjection, [
      book,
      said('ModelPriceChanged', { price: dearText, priceVersion: 'b/2' }),
      said('ModelChanged', { changes: { name: 'Two' } }),
      said('ModelPriceReverted', { inForce: { price: cheap, priceVersion: 'b/1' } }),
      said('ModelAdded', { modelId: 'three', facts: newcomer, price: dearText, priceVersion: 'b/2' }),
      said('ModelRemoved', { modelId: 'three' }),
    ]).rows(priceBookTable);
    const told = rows.map(({ model_id, said_by, price_version, rates, actor_kind, reason }) => [
      ...[model_id, said_by, price_version, rates, actor_kind, reason],
    ]);
    expect(told).to.deep.equal([
      ['one', 'PriceBookPublished', 'b/1', cheap, 'system', null],
      ['three', 'ModelAdded', 'b/2', dearText, 'admin', 'why'],
      ['three', 'ModelRemoved', null, null, 'admin', 'why'],
      ['two', 'PriceBookPublished', 'b/1', cheap, 'system', null],
      ['two', 'ModelPriceChanged', 'b/2', dearText, 'admin', 'why'],
      ['two', 'ModelPriceReverted', 'b/1', cheap, 'admin', 'why'],
    ]);
  });
});
