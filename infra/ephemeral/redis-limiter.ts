import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Limiter } from '../../src/kernel/limiter.ts';
import { limiterOver } from './limiter-over.ts';
import { memoryCounter } from './memory-limiter.ts';

/**
 * A counter defines its script on the connection when it is made, and counters are made while others' commands wait to be
 * sent together. A batch that was begun before the script was there cannot take it, and hands on every answer after it to
 * the wrong caller. So the script is there before the first command.
 */
const defineScript = (redis: Redis): void => {
  new RateLimiterRedis({ storeClient: redis, points: 1, duration: 1 });
};

/**
 * Counts in Redis, for all instances together; count and expiry are one script, so that no counter can be left without
 * an end. While Redis is away each process counts alone with the same limits.
 */
export const redisLimiter = (redis: Redis): Limiter => {
  defineScript(redis);
  return limiterOver(
    (rule) =>
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `rl:${rule.name}`,
        points: rule.max,
        duration: rule.windowSeconds,
        rejectIfRedisNotReady: true,
        insuranceLimiter: memoryCounter(rule),
      }),
  );
};
