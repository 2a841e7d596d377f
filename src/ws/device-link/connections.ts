import type { DeviceRole, NumberedEvent, Presence } from '../../kernel/relay.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Cause } from '../../kernel/message.ts';
import type { Outbox } from './outbox.ts';

/** One socket of this process. */
export type Connection = {
  readonly caller: Caller;
  readonly outbox: Outbox;
  /** What it says it is; what is on record counts more. */
  readonly saidRole: DeviceRole;
  /** Undefined until it has registered. */
  presence: Presence | undefined;
  /** The session that this device works in, as far as it has said. */
  activeSession: string | undefined;
  /** Events that came while older ones were being replayed; undefined: nothing is being replayed. */
  held: NumberedEvent[] | undefined;
  /** The highest event id that this device has been sent. */
  sentEventId: number;
  /** A new cause for whatever this device makes happen. */
  readonly cause: () => Cause;
  readonly close: (code: number, reason: string) => void;
};

/** A connection that has registered. */
export type Registered = Connection & { presence: Presence };

export const isRegistered = (connection: Connection): connection is Registered => connection.presence !== undefined;

/** The registered connections of this process. */
export type Connections = Readonly<{
  add: (connection: Registered) => void;
  remove: (connection: Registered) => void;
  find: (userId: string, deviceId: string) => Registered | undefined;
  of: (userId: string) => readonly Registered[];
  all: () => readonly Registered[];
}>;

/** An empty list of connections. */
export const connections = (): Connections => {
  const users = new Map<string, Map<string, Registered>>();
  return {
    add: (connection) => {
      const { userId } = connection.caller;
      const own = users.get(userId) ?? new Map<string, Registered>();
      own.set(connection.presence.deviceId, connection);
      users.set(userId, own);
    },
    remove: ({ caller: { userId }, presence: { deviceId, connectionId } }) => {
      const own = users.get(userId);
      // A newer connection of the device may have taken its place.
      if (own?.get(deviceId)?.presence.connectionId !== connectionId) return;
      own.delete(deviceId);
      if (own.size === 0) users.delete(userId);
    },
    find: (userId, deviceId) => users.get(userId)?.get(deviceId),
    of: (userId) => [...(users.get(userId)?.values() ?? [])],
    all: () => [...users.values()].flatMap((own) => [...own.values()]),
  };
};
