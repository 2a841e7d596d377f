import type { Redis } from 'ioredis';
import { MAIL_SECONDS, type Relay } from '../../src/kernel/relay.ts';
import { MAIL_LIMITS } from './limits.ts';
import { userKey } from './redis-keys.ts';
import { CLOCK, scriptOn } from '../redis/redis-script.ts';

/**
 * One list a user: `<until> <device as JSON>`, a line end, the short form as JSON, a line end and the frame, or nothing when
 * the short form stands for it. Beside it the bytes in the list, and how many of the oldest are short.
 */
const KEEP = `${CLOCK}
local box, known = KEYS[1], KEYS[2]
local function number(field)
  return tonumber(redis.call('HGET', known, field) or '0')
end
local count = redis.call('LLEN', box)
if count == 0 then redis.call('DEL', known) end
local bytes, short, shortened = number('bytes'), number('short'), 0
local oldest = redis.call('LINDEX', box, 0)
while oldest and tonumber(string.match(oldest, '^%d+')) <= now do
  redis.call('LPOP', box)
  bytes, count, short = bytes - #oldest, count - 1, math.max(0, short - 1)
  oldest = redis.call('LINDEX', box, 0)
end
local mail = text(now + ${MAIL_SECONDS * 1_000}) .. ' ' .. ARGV[2] .. '\\n' .. ARGV[3] .. '\\n' .. ARGV[4]
local kept = 0
if count < ${MAIL_LIMITS.pieces} then
  while bytes + #mail > ${MAIL_LIMITS.bytes} and short < count do
    local old = redis.call('LINDEX', box, short)
    local left = string.match(old, '^[^\\n]*\\n[^\\n]*\\n')
    redis.call('LSET', box, short, left)
    bytes, short, shortened = bytes - #old + #left, short + 1, shortened + 1
  end
  if bytes <= ${MAIL_LIMITS.bytes} then
    redis.call('RPUSH', box, mail)
    bytes, kept = bytes + #mail, 1
  end
end
redis.call('HSET', known, 'bytes', text(bytes), 'short', text(short))
redis.call('PEXPIRE', box, ${MAIL_SECONDS * 1_000})
redis.call('PEXPIRE', known, ${MAIL_SECONDS * 1_000})
return { shortened, kept }
`;

/** No more goes back than one call takes: a few thousand pieces. */
const TAKE = `${CLOCK}
local box, known = KEYS[1], KEYS[2]
local own, others, bytes, short = {}, {}, 0, 0
local all = redis.call('LRANGE', box, 0, -1)
for _, mail in ipairs(all) do
  local till, device, instead, start = string.match(mail, '^(%d+) ([^\\n]*)\\n([^\\n]*)\\n()')
  if tonumber(till) > now then
    if device == ARGV[2] then
      own[#own + 1] = start > #mail and instead or string.sub(mail, start)
    else
      others[#others + 1] = mail
      bytes = bytes + #mail
      if start > #mail and short == #others - 1 then short = #others end
    end
  end
end
if #others < #all then
  redis.call('DEL', box, known)
  if #others > 0 then
    redis.call('RPUSH', box, unpack(others))
    redis.call('PEXPIRE', box, ${MAIL_SECONDS * 1_000})
    redis.call('HSET', known, 'bytes', text(bytes), 'short', text(short))
    redis.call('PEXPIRE', known, ${MAIL_SECONDS * 1_000})
  end
end
return own
`;

/** What waits for absent devices, in Redis. `clock`: what scripts take for now, 0 for the clock of Redis. */
export const redisMail = (redis: Redis, clock: () => number): Pick<Relay, 'keepMail' | 'takeMail'> => {
  const keep = scriptOn(redis, { name: 'relayKeepMail', keys: 2, lua: KEEP });
  const take = scriptOn(redis, { name: 'relayTakeMail', keys: 2, lua: TAKE });
  const keys = (userId: string): readonly string[] => [userKey(userId, 'mail'), userKey(userId, 'mail-known')];
  return {
    keepMail: async (userId, deviceId, { frame, instead }) => {
      const given = [clock(), JSON.stringify(deviceId), instead, frame];
      const [shortened, isKept] = (await keep(keys(userId), given)) as [number, number];
      return { shortened, isKept: isKept === 1 };
    },
    takeMail: async (userId, deviceId) =>
      (await take(keys(userId), [clock(), JSON.stringify(deviceId)])) as readonly string[],
  };
};
