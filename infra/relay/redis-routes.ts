import type { Redis } from 'ioredis';
import { onRedis } from '../redis/redis-unavailable.ts';
import { SESSION_SECONDS, type Relay } from '../../src/kernel/relay.ts';
import { MOST_ROUTES } from './limits.ts';
import { userKey } from './redis-keys.ts';
import { CLOCK, scriptOn } from '../redis/redis-script.ts';
import { routeOf, routeText } from './route-keep.ts';

/** A field a route, whose value is when it ends. */
const ADD = `${CLOCK}
redis.call('HSET', KEYS[1], ARGV[2], text(now + ${SESSION_SECONDS * 1_000}))
redis.call('PEXPIRE', KEYS[1], ${SESSION_SECONDS * 1_000})
if redis.call('HLEN', KEYS[1]) > ${MOST_ROUTES} then
  local all, first, ends = redis.call('HGETALL', KEYS[1]), nil, nil
  for i = 1, #all, 2 do
    local till = tonumber(all[i + 1])
    if all[i] ~= ARGV[2] and (ends == nil or till < ends) then first, ends = all[i], till end
  end
  redis.call('HDEL', KEYS[1], first)
end
`;

const ALL = `${CLOCK}
local routes, all = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) > now then routes[#routes + 1] = all[i] else redis.call('HDEL', KEYS[1], all[i]) end
end
return routes
`;

/** Who watches which terminal, in Redis. `clock`: what scripts take for now, 0 for the clock of Redis. */
export const redisRoutes = (redis: Redis, clock: () => number): Pick<Relay, 'addRoute' | 'removeRoute' | 'routes'> => {
  const add = scriptOn(redis, { name: 'relayAddRoute', keys: 1, lua: ADD });
  const all = scriptOn(redis, { name: 'relayRoutes', keys: 1, lua: ALL });
  const key = (userId: string): string => userKey(userId, 'routes');
  return {
    addRoute: async (userId, route) => {
      await add([key(userId)], [clock(), routeText(route)]);
    },
    removeRoute: async (userId, route) => {
      await onRedis(() => redis.hdel(key(userId), routeText(route)));
    },
    routes: async (userId) => ((await all([key(userId)], [clock()])) as readonly string[]).map(routeOf),
  };
};
