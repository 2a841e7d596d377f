import { LRUCache } from 'lru-cache';

/** In which session each device works, as far as it has said: only what is new is told to the others. */
export type ActiveSessions = Readonly<{
  /** False when the device has said so before, also over an earlier connection. */
  isNews: (userId: string, deviceId: string, sessionId: string) => boolean;
}>;

const MOST_DEVICES = 50_000;

export const activeSessions = (): ActiveSessions => {
  const known = new LRUCache<string, string>({ max: MOST_DEVICES });
  return {
    isNews: (userId, deviceId, sessionId) => {
      const key = `${userId} ${deviceId}`;
      if (known.get(key) === sessionId) return false;
      known.set(key, sessionId);
      return true;
    },
  };
};
