import { createHmac } from 'node:crypto';
import type { Config } from '../config.ts';
import { defaultLimits, type Limits } from '../http/limits.ts';
import { stateCache } from '../kernel/state-cache.ts';

/** On a machine of one's own everybody is the same address, and signs in as many people. */
const LOCAL_LOGINS = 1000;
const ADDRESSES = 10_000;

/** A keyed hash in hex, so that the log can tell callers apart without knowing where they are. */
export const addressHash = (key: string): ((ip: string) => string) => {
  const known = stateCache<string>(ADDRESSES);
  return (ip) => {
    const found = known.get(ip);
    if (found !== undefined) return found;
    const hash = createHmac('sha256', key).update(ip).digest('hex').slice(0, 32);
    known.set(ip, hash);
    return hash;
  };
};

/** The limits as configured; on a machine of one's own everybody is the same address. */
export const limitsOf = (config: Config): Limits => {
  const { RATE_LIMIT_MAX_REQUESTS: max, ACCOUNT_CREATION_RATE_LIMIT_MAX_REQUESTS: logins } = config;
  const windowSeconds = config.RATE_LIMIT_WINDOW_MS / 1000;
  const pages = Math.max(
    1,
    Math.round((max * (defaultLimits.checkout.perUser ?? 1)) / (defaultLimits.write.perUser ?? 1)),
  );
  const busy = { perUser: max, perIp: max * 2, windowSeconds };
  return {
    ...defaultLimits,
    read: busy,
    write: busy,
    checkout: { perUser: pages, perIp: pages * 10, windowSeconds },
    socket: { perIp: max, windowSeconds },
    login: {
      perIp: logins ?? (config.AUTH0_DOMAIN === undefined ? LOCAL_LOGINS : defaultLimits.login.perIp),
      windowSeconds: config.ACCOUNT_CREATION_RATE_LIMIT_WINDOW_MS / 1000,
    },
  };
};
