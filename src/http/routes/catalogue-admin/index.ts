import type { CatalogueService } from '../../../../commands/catalogue/catalogue-service.ts';
import type { CatalogueView } from '../../../../commands/catalogue/offer.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { Endpoint } from '../../endpoint.ts';
import type { CatalogueInput } from './catalogue-input.ts';
import { modelChanges } from './model-changes.ts';
import { otherChanges } from './other-changes.ts';
import { priceHistory } from './price-history.ts';
import { showCatalogue } from './show-catalogue.ts';

type Deps = Readonly<{
  service: CatalogueService;
  view: () => CatalogueView;
  input: CatalogueInput;
  queries: QueryRunner;
}>;

/** What administrators see and change of the catalogue. */
export const catalogueAdminEndpoints = ({ service, view, input, queries }: Deps): readonly Endpoint[] => [
  showCatalogue({ view }),
  priceHistory({ queries }),
  ...modelChanges(service, input),
  ...otherChanges(service, input),
];
