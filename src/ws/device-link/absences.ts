import type { Relay } from '../../kernel/relay.ts';
import type { StatusChange } from './announcing.ts';
import type { Connections } from './connections.ts';

/** Notices devices that went without a word because their instance did. */
export type Absences = Readonly<{
  /** Looks where the devices of all users are who are connected here. Rejects when the relay does not answer. */
  look: () => Promise<void>;
  /** To be told of every change of status that is heard of. */
  heard: (userId: string, change: StatusChange) => void;
}>;

type Deps = Readonly<{
  relay: Pick<Relay, 'present' | 'instance'>;
  connections: Connections;
  /** Told of a device that has gone, or is there though nobody said so. */
  gone: (userId: string, deviceId: string) => Promise<void>;
  back: (userId: string, deviceId: string) => Promise<void>;
}>;

/** After a flush of the shared store a device is missing for one look, until its instance notes it again. */
const LOOKS = 2;
const AT_ONCE = 200;

export const absences = ({ relay, connections, gone, back }: Deps): Absences => {
  /** Devices of other instances, and for how many looks they have been missing. */
  const known = new Map<string, Map<string, number>>();

  const missing = async (userId: string, before: ReadonlyMap<string, number>, now: Map<string, number>) => {
    for (const [deviceId, looks] of before) {
      if (now.has(deviceId) || connections.find(userId, deviceId) !== undefined) continue;
      if (looks + 1 < LOOKS) now.set(deviceId, looks + 1);
      else await gone(userId, deviceId);
    }
  };

  const lookAfter = async (userId: string): Promise<void> => {
    const others = (await relay.present(userId)).filter(({ instance }) => instance !== relay.instance);
    const now = new Map(others.map(({ deviceId }) => [deviceId, 0]));
    const before = known.get(userId);
    known.set(userId, now);
    if (before === undefined) return;
    for (const deviceId of now.keys()) if (!before.has(deviceId)) await back(userId, deviceId);
    await missing(userId, before, now);
  };

  return {
    look: async () => {
      const users = [...new Set(connections.all().map(({ caller }) => caller.userId))];
      for (const userId of known.keys()) if (connections.count(userId) === 0) known.delete(userId);
      for (let at = 0; at < users.length; at += AT_ONCE) {
        await Promise.all(users.slice(at, at + AT_ONCE).map(lookAfter));
      }
    },
    heard: (userId, { deviceId, status }) => {
      const devices = known.get(userId);
      if (devices === undefined) return;
      if (status === 'disconnected') devices.delete(deviceId);
      else devices.set(deviceId, 0);
    },
  };
};
