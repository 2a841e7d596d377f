import { PRESENCE_SECONDS, type Presence } from '../../src/kernel/relay.ts';

/** The connected devices of one user in memory. */
export type PresenceKeep = Readonly<{
  /** Answers the living connection of the device that this one replaces, if any. */
  join: (presence: Presence) => Presence | undefined;
  /** True when the connection had been forgotten and is known again. */
  renew: (presence: Presence) => boolean;
  /** False when another living connection has the device's place. */
  leave: (presence: Presence) => boolean;
  /** Those that live, the latest first. */
  living: () => readonly Presence[];
}>;

type Noted = Readonly<{ presence: Presence; until: number }>;

export const presenceKeep = (now: () => number): PresenceKeep => {
  const noted = new Map<string, Noted>();

  const note = (presence: Presence): void =>
    void noted.set(presence.deviceId, { presence, until: now() + PRESENCE_SECONDS * 1_000 });

  const current = (deviceId: string): Presence | undefined => {
    const found = noted.get(deviceId);
    return found === undefined || found.until <= now() ? undefined : found.presence;
  };

  const other = ({ deviceId, connectionId }: Presence): Presence | undefined => {
    const found = current(deviceId);
    return found?.connectionId === connectionId ? undefined : found;
  };

  return {
    join: (presence) => {
      const replaced = other(presence);
      note(presence);
      return replaced;
    },
    renew: (presence) => {
      if (other(presence) !== undefined) return false;
      const wasForgotten = current(presence.deviceId) === undefined;
      note(presence);
      return wasForgotten;
    },
    leave: (presence) => {
      if (other(presence) !== undefined) return false;
      noted.delete(presence.deviceId);
      return true;
    },
    living: () => {
      const at = now();
      for (const [deviceId, { until }] of noted) if (until <= at) noted.delete(deviceId);
      return [...noted.values()].map(({ presence }) => presence).sort((a, b) => b.since - a.since);
    },
  };
};
