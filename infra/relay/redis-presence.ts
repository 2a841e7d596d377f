import type { Redis } from 'ioredis';
import { PRESENCE_SECONDS, type Presence, type Relay } from '../../src/kernel/relay.ts';
import { CLOCK, scriptOn } from '../redis/redis-script.ts';
import { userKey } from './redis-keys.ts';

/** A field a device, `<until> <presence as JSON>`: fields have no expiry of their own in the versions that are about. */
const NOTED = `${CLOCK}
local function living(deviceId)
  local noted = redis.call('HGET', KEYS[1], deviceId)
  if not noted then return nil end
  local till, json = string.match(noted, '^(%d+) (.*)$')
  if tonumber(till) <= now then return nil end
  return json, cjson.decode(json).connectionId
end
local function note(deviceId, json)
  redis.call('HSET', KEYS[1], deviceId, text(now + ${PRESENCE_SECONDS * 1_000}) .. ' ' .. json)
  redis.call('PEXPIRE', KEYS[1], ${PRESENCE_SECONDS * 1_000})
end
`;

const JOIN = `${NOTED}
local json, connectionId = living(ARGV[2])
note(ARGV[2], ARGV[4])
if connectionId ~= ARGV[3] then return json end
return nil
`;

/** Answers the devices that had been forgotten. */
const RENEW = `${NOTED}
local again = {}
for i = 2, #ARGV, 3 do
  local _, connectionId = living(ARGV[i])
  if connectionId == nil then again[#again + 1] = ARGV[i] end
  if connectionId == nil or connectionId == ARGV[i + 1] then note(ARGV[i], ARGV[i + 2]) end
end
return again
`;

const LEAVE = `${NOTED}
local _, connectionId = living(ARGV[2])
if connectionId ~= nil and connectionId ~= ARGV[3] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[2])
return 1
`;

const PRESENT = `${NOTED}
local present = {}
for _, deviceId in ipairs(redis.call('HKEYS', KEYS[1])) do
  local json = living(deviceId)
  if json then present[#present + 1] = json else redis.call('HDEL', KEYS[1], deviceId) end
end
return present
`;

type RedisPresence = Pick<Relay, 'join' | 'leave' | 'present'> &
  Readonly<{
    /** Renews connections of one user; answers the devices that had been forgotten. */
    renew: (userId: string, all: readonly Presence[]) => Promise<readonly string[]>;
  }>;

/** Who is where, in Redis. `clock`: what scripts take for now, 0 for the clock of Redis. */
export const redisPresence = (redis: Redis, clock: () => number): RedisPresence => {
  const join = scriptOn(redis, { name: 'relayJoin', keys: 1, lua: JOIN });
  const renew = scriptOn(redis, { name: 'relayRenew', keys: 1, lua: RENEW });
  const leave = scriptOn(redis, { name: 'relayLeave', keys: 1, lua: LEAVE });
  const present = scriptOn(redis, { name: 'relayPresent', keys: 1, lua: PRESENT });
  const key = (userId: string): readonly string[] => [userKey(userId, 'present')];
  const form = (presence: Presence): readonly string[] => [
    presence.deviceId,
    presence.connectionId,
    JSON.stringify(presence),
  ];
  const presenceOf = (json: string): Presence => JSON.parse(json) as Presence;
  return {
    join: async (userId, presence) => {
      const replaced = (await join(key(userId), [clock(), ...form(presence)])) as string | null;
      return replaced === null ? undefined : presenceOf(replaced);
    },
    renew: async (userId, all) => (await renew(key(userId), [clock(), ...all.flatMap(form)])) as readonly string[],
    leave: async (userId, { deviceId, connectionId }) =>
      (await leave(key(userId), [clock(), deviceId, connectionId])) === 1,
    present: async (userId) => {
      const found = (await present(key(userId), [clock()])) as readonly string[];
      return found.map(presenceOf).sort((a, b) => b.since - a.since);
    },
  };
};
