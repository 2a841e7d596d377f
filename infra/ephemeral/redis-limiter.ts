import type { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Limiter } from '../../src/kernel/limiter.ts';
import { limiterOver } from './limiter-over.ts';
import { memoryCounter } from './memory-limiter.ts';

/**
 * Counts in Redis, for all instances together; count and expiry are one script, so that no counter can be left without
 * an end. While Redis is away each process counts alone with the same limits.
 */
export const redisLimiter = (redis: Redis): Limiter =>
  limiterOver(
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
