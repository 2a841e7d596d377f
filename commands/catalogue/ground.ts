import type { CatalogueChanges, Offer } from './catalogue.state.ts';

/** What a wish is decided on: the build, the changes so far, and both together. */
export type Ground = Readonly<{ build: Offer; state: CatalogueChanges; now: Offer }>;
