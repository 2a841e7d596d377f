import type { Redis } from 'ioredis';
import { onRedis } from './redis-unavailable.ts';

/** A script that Redis carries out as one step. */
export type Script = Readonly<{ name: string; keys: number; lua: string }>;

type Run = (...given: readonly (string | number)[]) => Promise<unknown>;

/** A script as a function of its keys and arguments; rejects with RedisUnavailableError. */
export const scriptOn = (redis: Redis, { name, keys, lua }: Script) => {
  redis.defineCommand(name, { numberOfKeys: keys, lua });
  const run = Reflect.get(redis, name) as Run;
  return (own: readonly string[], given: readonly (string | number)[]): Promise<unknown> =>
    onRedis(() => run.call(redis, ...own, ...given));
};

/**
 * What every script starts with: `now` is the first argument, or the clock of Redis when that is 0, so that instances
 * whose clocks differ agree; `text` writes a number with all its digits.
 */
export const CLOCK = `
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local function text(number)
  return string.format('%.0f', number)
end
`;
