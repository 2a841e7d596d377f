import { CATALOGUE_ID, type CatalogueEvent } from '../../src/events/catalogue/catalogue.events.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { CatalogueCommand, CatalogueWish } from './catalogue.commands.ts';
import type { CatalogueChanges, Offer } from './catalogue.state.ts';
import { priceBookOf } from './price-book.ts';

/** Why, and at which revision alone. */
export type ChangeNote = Pick<CatalogueWish['data'], 'reason' | 'ifRevision'>;

type Bare<W> = W extends CatalogueWish
  ? Readonly<{ type: W['type']; data: Omit<W['data'], 'at' | keyof ChangeNote> }>
  : never;

/** A wish as such: what is to be different. */
export type AskedChange = Bare<CatalogueWish>;

/** The write side of the catalogue. */
export type CatalogueService = Readonly<{
  /** The changes so far, this one among them; this process offers them when it resolves. */
  change: (asked: AskedChange, note: ChangeNote, cause: Cause) => Promise<CatalogueChanges>;
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

const wishOf = ({ type, data }: AskedChange, note: ChangeNote, { causationId, at }: Cause): CatalogueWish =>
  // Each type still stands with its own data; the compiler does not follow that through the spread.
  ({ type, key: `${type}:${data.id}:${causationId}:${at}`, data: { ...data, ...note, at } }) as CatalogueWish;

/** Hands changes to the one stream of the catalogue. */
export const catalogueService = ({ build, handler, changed }: Deps): CatalogueService => {
  const { contentHash } = priceBookOf(build.catalogue);
  const handle = async (command: CatalogueCommand, cause: Cause): Promise<CatalogueChanges> => {
    const { state } = await handler.handle(CATALOGUE_ID, command, cause);
    changed(state);
    return state;
  };
  return {
    change: (asked, note, cause) => handle(wishOf(asked, note, cause), cause),
    publish: (cause) =>
      handle({ type: 'PublishPriceBook', key: `price-book:${contentHash}`, data: { at: cause.at } }, cause),
    read: () => handler.state(CATALOGUE_ID),
  };
};
