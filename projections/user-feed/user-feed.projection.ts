import type { Projection, Projected } from '../../src/kernel/projection.ts';
import { isUuid } from '../../src/kernel/ids.ts';
import { isSealed } from '../../src/kernel/vault.ts';
import { userFeedTable } from './user-feed.table.ts';

/** Streams that are a user's own by their name, and streams whose events name the user. */
const OWN = ['creditAccount-', 'user-'] as const;
const NAMING = ['session-', 'device-', 'notification-'] as const;

/** Ciphertexts, digests and other members that are of no use to a client. */
const isPrivate = (name: string, value: unknown): boolean =>
  isSealed(value) || name.endsWith('Digest') || name.endsWith('Hash') || name === 'rawUsage';

const publicPart = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(publicPart);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => !isPrivate(name, member))
      .map(([name, member]) => [name, publicPart(member)]),
  );
};

const userOf = (event: Projected): string | undefined => {
  const own = OWN.find((prefix) => event.stream.startsWith(prefix));
  const named = (event.data as Readonly<{ userId?: unknown }> | null)?.userId;
  const user = own === undefined ? named : event.stream.slice(own.length);
  return typeof user === 'string' && isUuid(user) ? user : undefined;
};

/** The source of the events that clients follow. Positions of the log are the positions that clients resume at. */
export const userFeed: Projection = {
  name: 'user-feed',
  version: 1,
  tables: [userFeedTable],
  streamPrefixes: [...OWN, ...NAMING],
  upcasters: 'as-stored',
  apply: (event) => {
    const userId = userOf(event);
    if (userId === undefined) return [];
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
