import type { EventStore, Position, StoredEvent } from './event-store.ts';
import type { Logger } from './logger.ts';

export type FollowLiveDeps = Readonly<{
  store: Pick<EventStore, 'head' | 'subscribe'>;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

/** What is followed: streams by their prefixes, and what is done with each event. What `heed` throws is logged. */
export type Following = Readonly<{
  /** What it is good for, in words for the log. */
  what: string;
  streamPrefixes: readonly string[];
  heed: (event: StoredEvent) => void | Promise<void>;
}>;

const LONGEST_PAUSE_MS = 5_000;

/**
 * Hands on what happens from now on, until `signal` aborts. What happens while the store is away is heard when it is
 * back. Resolves when stopped; never rejects.
 */
export const followLive = async (deps: FollowLiveDeps, following: Following, signal: AbortSignal): Promise<void> => {
  const { store, logger } = deps;
  const { what, streamPrefixes, heed } = following;
  const stopped = (): boolean => signal.aborted;
  let position: Position | undefined;
  let began = false;

  const heeded = async (event: StoredEvent): Promise<void> => {
    try {
      await heed(event);
    } catch (error) {
      logger.error({ err: error, eventId: event.id, type: event.type }, `an event was not heeded: ${what}`);
    }
  };

  const follow = async (isFresh: () => void): Promise<void> => {
    if (!began) position = await store.head();
    began = true;
    const from = position === undefined ? {} : { from: position };
    for await (const items of store.subscribe({ ...from, filter: { streamPrefixes }, signal })) {
      isFresh();
      for (const item of items) {
        if (stopped()) return;
        if (item.kind === 'caught-up') continue;
        if (item.kind === 'event') await heeded(item.event);
        position = item.kind === 'event' ? item.event.position : item.position;
      }
    }
  };

  for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      await follow(() => {
        wait = 100;
      });
    } catch (error) {
      logger.warn({ err: error }, `news of the log are late: ${what}; trying again`);
    }
    if (!stopped()) await deps.pause(wait);
  }
};
