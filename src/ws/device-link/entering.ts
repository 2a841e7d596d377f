import { serialByKey } from '../../kernel/serial.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { DeviceRole, Presence, Relay } from '../../kernel/relay.ts';
import type { Announcer } from './announcing.ts';
import { SUPERSEDED, TRY_AGAIN } from './close-codes.ts';
import type { Connection, Connections, Registered } from './connections.ts';
import type { Leaving } from './leaving.ts';
import { liveFeed } from './live-feed.ts';
import type { Welcome } from './welcome.ts';
import type { Whereabouts } from './whereabouts.ts';

type Deps = Readonly<{
  relay: Relay;
  connections: Connections;
  whereabouts: Whereabouts;
  leaving: Leaving;
  welcome: Welcome;
  announce: Announcer;
  /** Told of a device that can be reached now, before the others are. Must not reject. */
  onEntered: (connection: Registered) => Promise<void>;
  newId: () => string;
  now: () => number;
  logger: Logger;
}>;

/** As what a connection enters. `frame` tells the client that it has; it has missed the events after `after`. */
type Ticket = Readonly<{ deviceId: string; role: DeviceRole; frame: string; after: number }>;

/** The one place where connections become reachable, catch up and go; of one device, one thing at a time. */
export type Entering = Readonly<{
  /** Rejects when the relay does not answer: the connection is to be closed then. */
  enter: (connection: Connection, ticket: Ticket) => Promise<void>;
  /** After deliveries may have been missed. Never rejects. */
  catchUp: (connection: Registered) => Promise<void>;
  /** After mail has come for its device. Never rejects. */
  fetchMail: (connection: Registered) => Promise<void>;
  /** Does nothing for a connection that has left. Never rejects. */
  leave: (connection: Registered) => Promise<void>;
}>;

const REPLACED = 'this device has connected again';

export const entering = (deps: Deps): Entering => {
  const { relay, connections, whereabouts, leaving, now } = deps;
  const inOrder = serialByKey();
  const keyOf = (userId: string, deviceId: string): string => `${userId} ${deviceId}`;
  const laneOf = ({ caller, entry }: Registered): string => keyOf(caller.userId, entry.presence.deviceId);

  /** Takes the place of an older connection of the device, here or elsewhere; answers what that one may not have sent. */
  const takePlace = async (entered: Registered): Promise<readonly string[]> => {
    const { caller, entry } = entered;
    const { userId } = caller;
    const { presence } = entry;
    const before = connections.find(userId, presence.deviceId);
    connections.add(entered);
    if (before !== undefined && before !== entered) before.close(SUPERSEDED, REPLACED);
    const replaced = await relay.join(userId, presence);
    whereabouts.forget(userId);
    if (replaced !== undefined && replaced.instance !== relay.instance) {
      const { deviceId, connectionId } = replaced;
      await relay.send(replaced, { kind: 'superseded', userId, deviceId, connectionId });
    }
    return before === undefined || before === entered ? [] : leaving.takeOver(before);
  };

  const enterNow = async (connection: Connection, ticket: Ticket): Promise<void> => {
    if (!connection.isOpen()) return;
    const { deviceId, role, frame, after } = ticket;
    const { outbox, caller } = connection;
    outbox.send(frame, 'vital');
    const presence: Presence = { deviceId, connectionId: deps.newId(), instance: relay.instance, role, since: now() };
    const feed = liveFeed(outbox, deviceId, now, () => {
      deps.logger.warn({ userId: caller.userId, deviceId }, 'too much came while a device read what it had missed');
      connection.close(TRY_AGAIN, 'too much waits to be read; come back and resume');
    });
    const entered = Object.assign(connection, { entry: { presence, feed } });
    feed.hold();
    const left = await takePlace(entered);
    await deps.welcome.greet(entered, after, left);
    feed.release();
    await deps.onEntered(entered);
    await deps.announce.online(caller.userId, deviceId).catch((error: unknown) => {
      deps.logger.warn({ err: error }, 'a device has come and the others were not told');
    });
  };

  const catchUpNow = async (connection: Registered): Promise<void> => {
    if (!connection.isOpen()) return;
    const { caller, entry } = connection;
    const { deviceId, connectionId } = entry.presence;
    const current = (await relay.present(caller.userId)).find((other) => other.deviceId === deviceId);
    if (current !== undefined && current.connectionId !== connectionId) {
      return connection.close(SUPERSEDED, REPLACED);
    }
    await deps.welcome.catchUp(connection);
  };

  return {
    enter: (connection, ticket) => {
      const { userId } = connection.caller;
      const before = connections.find(userId, ticket.deviceId);
      const entered = inOrder(keyOf(userId, ticket.deviceId), () => enterNow(connection, ticket));
      // Now, for what the older one has not read may be what our turn waits for; and not sooner, for its leaving comes
      // after our entering then, and nobody is told that the device has gone.
      if (before !== undefined && before !== connection) before.close(SUPERSEDED, REPLACED);
      return entered;
    },
    catchUp: (connection) => {
      // At once: what comes from now on is after what was missed.
      const { feed } = connection.entry;
      feed.hold();
      return inOrder(laneOf(connection), () =>
        catchUpNow(connection)
          .catch(() => connection.close(TRY_AGAIN, 'events may be missing; come back'))
          .finally(feed.release),
      );
    },
    fetchMail: (connection) =>
      inOrder(laneOf(connection), async () => {
        if (connection.isOpen()) await deps.welcome.mail(connection);
      }).catch((error: unknown) => {
        deps.logger.warn({ err: error, userId: connection.caller.userId }, 'mail waits until its device comes again');
      }),
    leave: (connection) => inOrder(laneOf(connection), () => leaving.leave(connection)),
  };
};
