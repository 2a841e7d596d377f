import type { DeviceRole, Presence } from '../../kernel/relay.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Cause } from '../../kernel/message.ts';
import type { LiveFeed } from './live-feed.ts';
import type { Outbox } from './outbox.ts';

/** What a connection is from the moment at which it has registered. */
type Entry = Readonly<{ presence: Presence; feed: LiveFeed }>;

/** One socket of this process. */
export type Connection = {
  readonly caller: Caller;
  readonly outbox: Outbox;
  /** What it says it is; what is on record counts more. */
  readonly saidRole: DeviceRole;
  /** Undefined until it has registered. */
  entry: Entry | undefined;
  /** A new cause for whatever this device makes happen. */
  readonly cause: () => Cause;
  /** False as soon as nothing more can reach the device over this socket. */
  readonly isOpen: () => boolean;
  /**
   * Ends it: from now on the device counts as gone, however long the peer takes to hang up. `lastWord` is a frame that goes
   * before all that still waits to be sent.
   */
  readonly close: (code: number, reason: string, lastWord?: string) => void;
};

/** A connection that has registered. */
export type Registered = Connection & { entry: Entry };

export const isRegistered = (connection: Connection): connection is Registered => connection.entry !== undefined;

/** The registered connections of this process. */
export type Connections = Readonly<{
  add: (connection: Registered) => void;
  /** False when it was not there: it has left before, or a newer connection of the device has its place. */
  remove: (connection: Registered) => boolean;
  find: (userId: string, deviceId: string) => Registered | undefined;
  of: (userId: string) => Iterable<Registered>;
  count: (userId: string) => number;
  all: () => readonly Registered[];
}>;

const NONE: ReadonlyMap<string, Registered> = new Map();

/** An empty list of connections. */
export const connections = (): Connections => {
  const users = new Map<string, Map<string, Registered>>();
  const own = (userId: string): ReadonlyMap<string, Registered> => users.get(userId) ?? NONE;
  return {
    add: (connection) => {
      const { userId } = connection.caller;
      const devices = users.get(userId) ?? new Map<string, Registered>();
      devices.set(connection.entry.presence.deviceId, connection);
      users.set(userId, devices);
    },
    remove: ({ caller: { userId }, entry: { presence } }) => {
      const devices = users.get(userId);
      if (devices?.get(presence.deviceId)?.entry.presence.connectionId !== presence.connectionId) return false;
      devices.delete(presence.deviceId);
      if (devices.size === 0) users.delete(userId);
      return true;
    },
    find: (userId, deviceId) => own(userId).get(deviceId),
    of: (userId) => own(userId).values(),
    count: (userId) => own(userId).size,
    all: () => [...users.values()].flatMap((devices) => [...devices.values()]),
  };
};
