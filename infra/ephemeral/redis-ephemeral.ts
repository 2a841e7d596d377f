import type { Redis } from 'ioredis';
import type { EphemeralStore } from '../../src/kernel/ephemeral.ts';
import { onRedis } from '../redis/redis-unavailable.ts';
import { fromText, toText } from './json-value.ts';

const milliseconds = (ttlSeconds: number): number => Math.max(1, Math.round(ttlSeconds * 1000));

/**
 * The ephemeral state that several instances share. Every command is one key and one round trip, so that it works on a
 * cluster too. Commands reject with RedisUnavailableError while Redis is away.
 */
export const redisEphemeral = (redis: Redis): EphemeralStore => ({
  put: async (key, value, ttlSeconds) => {
    const text = toText(value);
    await onRedis(() => redis.set(key, text, 'PX', milliseconds(ttlSeconds)));
  },
  get: async (key) => fromText(await onRedis(() => redis.get(key))),
  take: async (key) => fromText(await onRedis(() => redis.getdel(key))),
  claim: async (key, value, ttlSeconds) => {
    const text = toText(value);
    return (await onRedis(() => redis.set(key, text, 'PX', milliseconds(ttlSeconds), 'NX'))) === 'OK';
  },
  ping: async () => {
    await onRedis(() => redis.ping());
  },
  close: () => {
    redis.disconnect();
    return Promise.resolve();
  },
});
