import type { Redis } from 'ioredis';
import {
  KEPT_EVENTS,
  KEPT_SECONDS,
  type Keeping,
  type NumberedEvent,
  type RelayEvent,
  type Replay,
} from '../../src/kernel/relay.ts';
import { aroundEventId, missedForm } from './delivery-form.ts';
import { HIGHEST_EVENT_ID, MOST_KEPT_BYTES } from './limits.ts';
import { INBOX, userKey } from './redis-keys.ts';
import { CLOCK, scriptOn } from '../redis/redis-script.ts';

/** Much longer than anything is kept: without it ids start at the clock again, and clients are told of a gap. */
const IDS_SECONDS = 30 * 24 * 60 * 60;

/**
 * The events of a user: a stream of the kept ones, `latest`, which names the entry of each `replaces`, and `ids`: the
 * last id, the floor (everything after it is kept, but for what was replaced or is missed by nobody; empty when nobody
 * knows) and the bytes in the stream. What Redis has thrown away of it shows as a floor that is too high, never as one that
 * is too low.
 *
 * Arguments: the clock, whether events of this user were lost on the way here, and how that is said.
 */
const KEPT = `${CLOCK}
local ids, events, latest, present = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local known = redis.call('HMGET', ids, 'last', 'floor', 'bytes')
local last, floor, bytes = tonumber(known[1]), tonumber(known[2]), tonumber(known[3]) or 0

local function dropAll()
  redis.call('DEL', events, latest)
  bytes = 0
end

local function drop(entry)
  local event, replaces = entry[2][2], entry[2][4]
  redis.call('XDEL', events, entry[1])
  bytes = bytes - #event - #replaces
  if replaces ~= '' and redis.call('HGET', latest, replaces) == entry[1] then redis.call('HDEL', latest, replaces) end
end

local function oldest()
  return redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
end

local function idOf(entry)
  return tonumber(string.match(entry[1], '^%d+'))
end

local function trim()
  local entry = oldest()
  while entry and (tonumber(entry[2][6]) <= now or bytes > ${MOST_KEPT_BYTES}
    or redis.call('XLEN', events) > ${KEPT_EVENTS}) do
    floor = idOf(entry)
    drop(entry)
    entry = oldest()
  end
end

local function tell(message)
  local told = {}
  local noted = redis.call('HGETALL', present)
  for i = 1, #noted, 2 do
    local till, json = string.match(noted[i + 1], '^(%d+) (.*)$')
    local instance = tonumber(till) > now and cjson.decode(json).instance
    if instance and not told[instance] then
      told[instance] = true
      redis.call('PUBLISH', '${INBOX}' .. instance, message)
    end
  end
end

local function save()
  redis.call('HSET', ids, 'last', text(last), 'floor', floor and text(floor) or '', 'bytes', text(bytes))
  redis.call('PEXPIRE', ids, ${IDS_SECONDS * 1_000})
end

if last == nil then
  local newest = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  last = newest and idOf(newest)
  floor = nil
  dropAll()
end
if bytes > 0 and redis.call('EXISTS', events) == 0 then
  floor = last
  dropAll()
end
if ARGV[2] == '1' then
  last = math.max(now, (last or 0) + 1)
  floor = last
  dropAll()
  tell(ARGV[3])
end
`;

/** Further arguments: the highest id the caller knows, how to keep, what it replaces, the event, what comes around its id. */
const PUBLISH = `${KEPT}
local how, replaces, event = ARGV[5], ARGV[6], ARGV[7]
if tonumber(ARGV[4]) > (last or 0) then
  last = tonumber(ARGV[4])
  floor = nil
  dropAll()
end
last = math.max(now, (last or 0) + 1)
floor = floor or last
if how == 'miss' then
  dropAll()
  floor = last
elseif how == 'keep' then
  local older = replaces ~= '' and redis.call('HGET', latest, replaces)
  local entry = older and redis.call('XRANGE', events, older, older)[1]
  if entry then drop(entry) end
  local id = text(last) .. '-0'
  redis.call('XADD', events, id, 'event', event, 'replaces', replaces, 'until', text(now + ${KEPT_SECONDS * 1_000}))
  if replaces ~= '' then redis.call('HSET', latest, replaces, id) end
  bytes = bytes + #event + #replaces
  trim()
  redis.call('PEXPIRE', events, ${KEPT_SECONDS * 1_000})
  redis.call('PEXPIRE', latest, ${KEPT_SECONDS * 1_000})
end
save()
tell(ARGV[8] .. text(last) .. ARGV[9])
return text(last)
`;

/** Further arguments: the id after which to begin. Without any id yet the count begins here. Answers last id, whether it is a gap, oldest id, then ids and events. */
const REPLAY = `${KEPT}
trim()
local asked = tonumber(ARGV[4])
local isKnown = last and floor and asked >= floor and asked <= last
if last == nil then
  last = now
  floor = now
end
if asked > last and asked <= ${HIGHEST_EVENT_ID} then
  last = asked
  floor = nil
  dropAll()
end
save()
local first = oldest()
local answer = { text(last), isKnown and 0 or 1, first and text(idOf(first)) or '' }
for _, entry in ipairs(redis.call('XRANGE', events, text(asked + 1), '+')) do
  answer[#answer + 1] = text(idOf(entry))
  answer[#answer + 1] = entry[2][2]
end
return answer
`;

const idIn = (text: unknown): number | undefined => (text === '' ? undefined : Number(text));

const eventsIn = (answer: readonly unknown[]): readonly NumberedEvent[] => {
  const events: NumberedEvent[] = [];
  for (let at = 0; at < answer.length; at += 2) {
    events.push({ ...(JSON.parse(String(answer[at + 1])) as RelayEvent), eventId: Number(answer[at]) });
  }
  return events;
};

/** What the caller knows of a user's events beyond what is in Redis. */
export type Beyond = Readonly<{
  /** Events were lost on the way. */
  lost: boolean;
  /** The highest id it has seen. */
  highest: number;
}>;

/** Numbers and keeps events, in Redis. `clock`: what scripts take for now, 0 for the clock of Redis. */
export const redisEvents = (redis: Redis, clock: () => number) => {
  const publish = scriptOn(redis, { name: 'relayPublish', keys: 4, lua: PUBLISH });
  const replay = scriptOn(redis, { name: 'relayReplay', keys: 4, lua: REPLAY });
  const keys = (userId: string): readonly string[] =>
    ['ids', 'events', 'latest', 'present'].map((what) => userKey(userId, what));
  const start = (userId: string, lost: boolean): readonly (string | number)[] => [
    clock(),
    lost ? 1 : 0,
    missedForm(userId),
  ];
  return {
    publish: async (userId: string, said: RelayEvent, { how, replaces = '' }: Keeping, beyond: Beyond) => {
      const event = JSON.stringify(said);
      const around = aroundEventId(userId, event);
      const given = [...start(userId, beyond.lost), beyond.highest, how, replaces, event, ...around];
      return Number(await publish(keys(userId), given));
    },
    replay: async (userId: string, lastEventId: number, lost: boolean): Promise<Replay> => {
      const given = [...start(userId, lost), lastEventId];
      const [latest, isGap, oldest, ...kept] = (await replay(keys(userId), given)) as readonly unknown[];
      return {
        events: eventsIn(kept),
        gap: lastEventId > 0 && isGap === 1,
        oldest: idIn(oldest),
        latest: Number(latest),
      };
    },
  };
};
