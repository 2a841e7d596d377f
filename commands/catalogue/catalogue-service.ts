import { CATALOGUE_ID, type CatalogueEvent } from '../../src/events/catalogue/catalogue.events.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import type { CatalogueCommand, CatalogueWish } from './catalogue.commands.ts';
import type { CatalogueChanges, Offer } from './catalogue.state.ts';
import { priceBookOf } from './price-book.ts';

/** A wish without what follows from its cause. */
export type AskedChange = CatalogueWish extends infer W
  ? W extends CatalogueWish
    ? Readonly<{ type: W['type']; data: Omit<W['data'], 'at'> }>
    : never
  : never;

/** The write side of the catalogue. */
export type CatalogueService = Readonly<{
  /** The changes so far, this one among them; this process offers them when it resolves. */
  change: (asked: AskedChange, cause: Cause) => Promise<CatalogueChanges>;
  /** Has the build's prices in the log and answers the changes so far. Idempotent. */
  publish: (cause: Cause) => Promise<CatalogueChanges>;
  /** The changes so far, read up to the end of the stream. */
  read: () => Promise<CatalogueChanges>;
}>;

type Deps = Readonly<{
  build: Offer;
  handler: CommandHandler<CatalogueChanges, CatalogueCommand, CatalogueEvent>;
  /** Told of the state after each change by this process. */
  changed: (changes: CatalogueChanges) => void;
}>;

const wishOf = ({ type, data }: AskedChange, { causationId, at }: Readonly<{ causationId: string; at: IsoTime }>) =>
  ({ type, key: `${type}:${data.id}:${causationId}:${at}`, data: { ...data, at } }) as CatalogueWish;

/** Hands changes to the one stream of the catalogue. */
export const catalogueService = ({ build, handler, changed }: Deps): CatalogueService => {
  const { contentHash } = priceBookOf(build.catalogue);
  const handle = async (command: CatalogueCommand, cause: Cause): Promise<CatalogueChanges> => {
    const { state } = await handler.handle(CATALOGUE_ID, command, cause);
    changed(state);
    return state;
  };
  return {
    change: (asked, cause) => handle(wishOf(asked, cause), cause),
    publish: (cause) =>
      handle({ type: 'PublishPriceBook', key: `price-book:${contentHash}`, data: { at: cause.at } }, cause),
    read: () => handler.state(CATALOGUE_ID),
  };
};
