import { USER } from '../../src/events/user/user.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import type { EventStore, StoredEvent } from '../../src/kernel/event-store.ts';
import { isSealed, type Sealed, type SubjectVault } from '../../src/kernel/vault.ts';

export type KeyDestructionDeps = Readonly<{
  vault: Pick<SubjectVault, 'destroy' | 'open'>;
  store: Pick<EventStore, 'read'>;
}>;

/** An event and what is sealed in it; undefined when nothing is. */
const sealedIn = (event: StoredEvent | undefined): Readonly<{ eventId: string; sealed: Sealed }> | undefined => {
  if (event === undefined || typeof event.data !== 'object' || event.data === null) return undefined;
  const sealed = Object.values(event.data).find(isSealed);
  return sealed === undefined ? undefined : { eventId: event.id, sealed };
};

/**
 * Destroys a user's key and tries it on what it was made for. Throws when that can still be read. Resolves with the event
 * that was tried. May be repeated.
 */
export const destroyKey = async ({ vault, store }: KeyDestructionDeps, userId: string) => {
  await vault.destroy(userId);
  const stream = streamOf({ category: USER }, userId);
  const [first] = await store.read(stream, { maxCount: 1 });
  const found = sealedIn(first);
  if (found === undefined) return null;
  if ((await vault.open(stream, found.sealed)) !== null) throw new Error('a destroyed key still opens what it sealed');
  return { eventId: found.eventId, readable: false } as const;
};
