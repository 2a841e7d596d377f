import { Redis } from 'ioredis';
import type { Logger } from '../../src/kernel/logger.ts';

export type RedisOptions = Readonly<{
  /** `redis://`, `rediss://`, or the path of a Unix socket. */
  url: string;
  logger: Logger;
  /** How long a command may take before it counts as failed. */
  commandTimeoutMs?: number;
}>;

/** Never longer between two attempts than this: a Redis that is back should be used within seconds. */
const MAX_RETRY_MS = 2000;

/**
 * A connection that repairs itself. Commands fail at once while it is down and never queue up: everything in Redis can
 * be done without for a while, and a caller that waits is worse off than one that is told.
 */
export const connectRedis = ({ url, logger, commandTimeoutMs = 1000 }: RedisOptions): Redis => {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 5000,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RETRY_MS),
  });
  let away = false;
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason = error;
  });
  // Comes before each attempt; an outage is two log lines, not one a second.
  redis.on('reconnecting', () => {
    if (!away) logger.warn({ err: reason }, 'redis is away');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info({}, 'redis is back');
    away = false;
  });
  return redis;
};

/** Resolves when the connection can be used; rejects after `limitMs`. */
export const redisReady = (redis: Redis, limitMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    if (redis.status === 'ready') return resolve();
    const timer = setTimeout(() => {
      redis.off('ready', onReady);
      reject(new Error(`redis did not answer within ${limitMs} ms`));
    }, limitMs);
    const onReady = (): void => {
      clearTimeout(timer);
      resolve();
    };
    redis.once('ready', onReady);
  });
