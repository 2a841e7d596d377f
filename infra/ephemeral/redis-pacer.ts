import type { Redis } from 'ioredis';
import type { Pacer } from '../../src/kernel/pacer.ts';
import { CLOCK, scriptOn } from '../redis/redis-script.ts';
import { memoryPacer } from './memory-pacer.ts';

/** The key holds the instant at which the bucket will be full again, and ends with it. */
const TAKE = `${CLOCK}
local burst = tonumber(ARGV[2])
local every = tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full + every - now - burst * every
if wait > 0 then return wait end
redis.call('SET', KEYS[1], text(full + every), 'PX', text(full + every - now))
return 0
`;

/**
 * Buckets in Redis, for all instances together and by its clock. While Redis is away each process paces alone, by the same
 * rules.
 */
export const redisPacer = (redis: Redis): Pacer => {
  const take = scriptOn(redis, { name: 'paceTake', keys: 1, lua: TAKE });
  const alone = memoryPacer();
  return {
    take: async (rule, key) => {
      // Without a connection a command would wait for one.
      if (redis.status !== 'ready') return alone.take(rule, key);
      try {
        const waitMs = Number(await take([`pace:${rule.name}:${key}`], [0, rule.burst, rule.everyMs]));
        return Number.isFinite(waitMs) ? waitMs : 0;
      } catch {
        return alone.take(rule, key);
      }
    },
  };
};
