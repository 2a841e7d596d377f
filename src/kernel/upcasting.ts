import type { StoredEvent } from './event-store.ts';
import type { Event } from './message.ts';

type Upcast = (data: never) => unknown;

/** The steps v1 to v2, v2 to v3, ... of each event type whose shape has changed. A type not listed is at version 1. */
export type Upcasters<E extends Event = Event> = Readonly<Partial<Record<E['type'], readonly Upcast[]>>>;

/** The version that this build writes for an event type, counting from 1. */
export const currentVersion = (upcasters: Upcasters, type: string): number =>
  ((upcasters as Readonly<Record<string, readonly Upcast[] | undefined>>)[type]?.length ?? 0) + 1;

/**
 * The event in its latest shape. A version newer than this build is a fault: a rolling deploy must stop, not misread.
 */
export const upcast = (upcasters: Upcasters, stored: Pick<StoredEvent, 'type' | 'data' | 'metadata'>): Event => {
  const steps = (upcasters as Readonly<Record<string, readonly Upcast[] | undefined>>)[stored.type] ?? [];
  const version = stored.metadata.schemaVersion;
  if (version > steps.length + 1) throw new Error(`${stored.type} has version ${version}, newer than this build knows`);
  const data = steps.slice(version - 1).reduce<unknown>((shape, step) => step(shape as never), stored.data);
  return { type: stored.type, data };
};
