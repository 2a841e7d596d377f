import type { Projection, Projected } from '../../src/kernel/projection.ts';
import { isUuid } from '../../src/kernel/ids.ts';
import { isSealed } from '../../src/kernel/vault.ts';
import { feedSources, internalMembers, untoldTypes } from './feed-sources.ts';
import { userFeedTable } from './user-feed.table.ts';

const sourceOf = new Map(feedSources.map((source) => [source.category, source]));

/** Ciphertexts, digests and other members that are of no use to a client. */
const isPrivate = (name: string, value: unknown): boolean =>
  isSealed(value) || /(?:Digest|Hash)$/.test(name) || internalMembers.has(name);

const publicPart = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(publicPart);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => !isPrivate(name, member))
      .map(([name, member]) => [name, publicPart(member)]),
  );
};

const userOf = ({ stream, data }: Projected): string | undefined => {
  const category = stream.slice(0, stream.indexOf('-'));
  const owner = sourceOf.get(category)?.owner;
  if (owner === undefined) return undefined;
  const user = owner === 'stream' ? stream.slice(category.length + 1) : (data as Readonly<{ userId?: unknown }>).userId;
  return typeof user === 'string' && isUuid(user) ? user : undefined;
};

/** The source of the events that clients follow. Positions of the log are the positions that clients resume at. */
export const userFeed: Projection = {
  name: 'user-feed',
  version: 2,
  tables: [userFeedTable],
  streamPrefixes: feedSources.map(({ category }) => `${category}-`),
  upcasters: 'as-stored',
  apply: (event) => {
    const userId = userOf(event);
    if (userId === undefined || untoldTypes.has(event.type)) return [];
    const { type, stream, revision, metadata, data } = event;
    const row = {
      position: event.position.commit,
      user_id: userId,
      type,
      stream,
      revision,
      at: metadata.occurredAt,
      data: publicPart(data) as Readonly<Record<string, unknown>>,
    };
    return [{ op: 'insert', table: userFeedTable, row }];
  },
};
