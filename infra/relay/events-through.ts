import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Keeping, RelayEvent } from '../../src/kernel/relay.ts';
import { redisEvents } from './redis-events.ts';

/** Users whose ids and losses are remembered here, beside Redis. */
const MOST_USERS = 100_000;

/**
 * Events through Redis, with what only this process knows: ids that Redis may have forgotten, and that events did not get
 * there. They are lost, but not unnoticed: whoever asks for what came after is told of a gap.
 */
export const eventsThrough = (redis: Redis, clock: () => number) => {
  const events = redisEvents(redis, clock);
  const highest = new LRUCache<string, number>({ max: MOST_USERS });
  const lost = new LRUCache<string, true>({ max: MOST_USERS });

  const saw = (userId: string, eventId: number): void => {
    if (eventId > (highest.get(userId) ?? 0)) highest.set(userId, eventId);
  };

  /** Tells Redis once of what was lost before, and again if that fails too. */
  const telling = async <T>(userId: string, work: (wasLost: boolean) => Promise<T>): Promise<T> => {
    const wasLost = lost.delete(userId);
    try {
      return await work(wasLost);
    } catch (error) {
      if (wasLost) lost.set(userId, true);
      throw error;
    }
  };

  return {
    /** To be called with every id that is heard of. */
    saw,
    publish: async (userId: string, said: RelayEvent, keeping: Keeping): Promise<number> => {
      try {
        const eventId = await telling(userId, (wasLost) =>
          events.publish(userId, said, keeping, { lost: wasLost, highest: highest.get(userId) ?? 0 }),
        );
        saw(userId, eventId);
        return eventId;
      } catch (error) {
        if (keeping.how !== 'forget') lost.set(userId, true);
        throw error;
      }
    },
    replay: (userId: string, lastEventId: number) =>
      telling(userId, (wasLost) => events.replay(userId, lastEventId, wasLost)),
  };
};
