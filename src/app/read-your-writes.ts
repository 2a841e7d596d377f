import type { EventStore, Position } from '../kernel/event-store.ts';
import type { EventMetadata } from '../kernel/message.ts';
import type { QueryRunner } from '../kernel/query.ts';
import { isUuid } from '../kernel/ids.ts';
import { stateCache } from '../kernel/state-cache.ts';

type Write = Readonly<{ stream: string; position: Position }>;

/** A user's newest write, by category of stream. */
type Writes = ReadonlyMap<string, Write>;

/** Waits until the read models show a write; false when that takes too long. */
export type WaitFor = (write: Write) => Promise<boolean>;

const USERS = 20_000;
/** The account's stream is written by jobs too; its name tells whose it is. */
const OWN_STREAM = /^(?:creditAccount|user)-(.+)$/;

const userOf = (stream: string, metadata: EventMetadata): string | undefined => {
  const named = OWN_STREAM.exec(stream)?.[1];
  if (named !== undefined && isUuid(named)) return named;
  return metadata.actor.kind === 'user' || metadata.actor.kind === 'admin' ? metadata.actor.id : undefined;
};

/**
 * Lets users read what they have just written on this instance: appends are noted by user, and a user's query first waits
 * for the read models to show them. When they do not in time, the query answers with what there is.
 */
export const readYourWrites = () => {
  const written = stateCache<Writes>(USERS);

  const note = (stream: string, position: Position, metadata: EventMetadata | undefined): void => {
    const userId = metadata === undefined || stream.includes('Snapshot-') ? undefined : userOf(stream, metadata);
    if (userId === undefined) return;
    const category = stream.slice(0, stream.indexOf('-'));
    written.set(userId, new Map(written.get(userId)).set(category, { stream, position }));
  };

  const noting = (store: EventStore): EventStore => ({
    ...store,
    append: async (stream, expected, events) => {
      const appended = await store.append(stream, expected, events);
      note(stream, appended.position, events[0]?.metadata as EventMetadata | undefined);
      return appended;
    },
  });

  const waiting = (queries: QueryRunner, waitFor: WaitFor): QueryRunner => ({
    ...queries,
    asUser: async (userId, query) => {
      const pending = written.get(userId);
      if (pending !== undefined) {
        const shown = await Promise.all([...pending.values()].map(waitFor));
        // Another write may have been noted meanwhile.
        if (shown.every(Boolean) && written.get(userId) === pending) written.delete(userId);
      }
      return queries.asUser(userId, query);
    },
  });

  return { noting, waiting };
};
