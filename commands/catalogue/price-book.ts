import { createHash } from 'node:crypto';
import type { PriceBookPublished } from '../../src/events/catalogue/catalogue.events.ts';
import type { Catalogue } from '../../src/kernel/catalogue.ts';
import { priceText } from '../../src/kernel/price-text.ts';

/** The prices of a build, and a hash that two builds share exactly when they name and price everything alike. */
export const priceBookOf = ({ version, models }: Catalogue): Omit<PriceBookPublished['data'], 'at'> => {
  const prices = models
    .map(({ id, price, priceVersion }) => ({ modelId: id, price: priceText(price), priceVersion }))
    .toSorted((a, b) => (a.modelId < b.modelId ? -1 : 1));
  const content = JSON.stringify([version, prices]);
  return { book: version, contentHash: createHash('sha256').update(content).digest('hex'), prices };
};
