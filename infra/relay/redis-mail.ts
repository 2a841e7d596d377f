import type { Redis } from 'ioredis';
import { MAIL_SECONDS, type Relay } from '../../src/kernel/relay.ts';
import { MOST_MAIL, MOST_MAIL_BYTES } from './limits.ts';
import { userKey } from './redis-keys.ts';
import { CLOCK, scriptOn } from './redis-script.ts';

/** One list a user: `<until> <device as JSON>`, a line end and the frame; beside it the bytes in the list. */
const KEEP = `${CLOCK}
local box, size = KEYS[1], KEYS[2]
local mail = text(now + ${MAIL_SECONDS * 1_000}) .. ' ' .. ARGV[2] .. '\\n' .. ARGV[3]
local count = redis.call('RPUSH', box, mail)
if count == 1 then redis.call('DEL', size) end
local bytes = redis.call('INCRBY', size, #mail)
while count > ${MOST_MAIL} or (bytes > ${MOST_MAIL_BYTES} and count > 1) do
  bytes = redis.call('DECRBY', size, #redis.call('LPOP', box))
  count = count - 1
end
redis.call('PEXPIRE', box, ${MAIL_SECONDS * 1_000})
redis.call('PEXPIRE', size, ${MAIL_SECONDS * 1_000})
`;

const TAKE = `${CLOCK}
local box, size = KEYS[1], KEYS[2]
local own, others, bytes = {}, {}, 0
local all = redis.call('LRANGE', box, 0, -1)
for _, mail in ipairs(all) do
  local till, device, start = string.match(mail, '^(%d+) ([^\\n]*)\\n()')
  if tonumber(till) > now then
    if device == ARGV[2] then
      own[#own + 1] = string.sub(mail, start)
    else
      others[#others + 1] = mail
      bytes = bytes + #mail
    end
  end
end
if #others < #all then
  redis.call('DEL', box, size)
  if #others > 0 then
    redis.call('RPUSH', box, unpack(others))
    redis.call('PEXPIRE', box, ${MAIL_SECONDS * 1_000})
    redis.call('SET', size, bytes, 'PX', ${MAIL_SECONDS * 1_000})
  end
end
return own
`;

/** What waits for absent devices, in Redis. `clock`: what scripts take for now, 0 for the clock of Redis. */
export const redisMail = (redis: Redis, clock: () => number): Pick<Relay, 'keepMail' | 'takeMail'> => {
  const keep = scriptOn(redis, { name: 'relayKeepMail', keys: 2, lua: KEEP });
  const take = scriptOn(redis, { name: 'relayTakeMail', keys: 2, lua: TAKE });
  const keys = (userId: string): readonly string[] => [userKey(userId, 'mail'), userKey(userId, 'mail-bytes')];
  return {
    keepMail: async (userId, deviceId, frame) => {
      await keep(keys(userId), [clock(), JSON.stringify(deviceId), frame]);
    },
    takeMail: async (userId, deviceId) =>
      (await take(keys(userId), [clock(), JSON.stringify(deviceId)])) as readonly string[],
  };
};
