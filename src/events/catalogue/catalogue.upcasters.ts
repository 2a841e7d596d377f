import type { Upcasters } from '../../kernel/upcasting.ts';
import type { CatalogueEvent } from './catalogue.events.ts';

/** Every event of the catalogue is still in its first shape. */
export const catalogueUpcasters: Upcasters<CatalogueEvent> = {};
