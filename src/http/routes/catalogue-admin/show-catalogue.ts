import { PARTS, type CatalogueChanges } from '../../../../commands/catalogue/catalogue.state.ts';
import type { CatalogueView } from '../../../../commands/catalogue/offer.ts';
import type { NamedPrice } from '../../../events/catalogue/catalogue.events.ts';
import { priceFromText, priceInUsd } from '../../../kernel/price-text.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { revisionTag } from '../../admin-change.ts';

const valueView = (value: object): object =>
  'priceVersion' in value ? { ...value, price: priceInUsd(priceFromText((value as NamedPrice).price)) } : value;

const overridesOf = (changes: CatalogueChanges): readonly object[] =>
  PARTS.flatMap((part) =>
    [...changes[part]].map(([id, { value, at, reason }]) => ({ part, id, at, reason, value: valueView(value) })),
  );

/** GET /api/admin/catalogue: what is offered, and what was changed since the build. Prices in USD as decimal text. */
export const showCatalogue = ({ view }: Readonly<{ view: () => CatalogueView }>): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/catalogue',
    limit: 'read',
    handle: () => {
      const { offer, changes, setAside } = view();
      const { version, models, ...rest } = offer.catalogue;
      const body = {
        revision: changes.revision,
        book: version,
        ...rest,
        models: models.map((model) => ({ ...model, price: priceInUsd(model.price) })),
        prompts: offer.prompts.map(({ text: _, ...prompt }) => prompt),
        overrides: overridesOf(changes),
        setAside,
      };
      return Promise.resolve(json(200, body, revisionTag(changes.revision)));
    },
  });
