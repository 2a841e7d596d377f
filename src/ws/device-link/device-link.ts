import type { SocketHandler } from '../upgrade.ts';
import type { Announcer } from './announcing.ts';
import { POLICY_VIOLATION, REVOKED, TRY_AGAIN } from './close-codes.ts';
import { connecting } from './connecting.ts';
import { isRegistered, type Connection } from './connections.ts';
import type { DeviceLinkDeps } from './device-link.deps.ts';
import { errorFrame } from './frames.ts';
import { keepAlive } from './keep-alive.ts';
import { readFrames } from './reading.ts';
import { receiving } from './receiving.ts';
import { sockets as openSockets } from './sockets.ts';
import { switchboard } from './switchboard.ts';
import { usualTiming } from './timing.ts';

/** The relay between a user's devices. */
export type DeviceLink = Readonly<{
  socket: SocketHandler;
  announce: Announcer;
  /** A device is not the user's any more: its connection here ends, once it has been told. */
  unlink: (userId: string, deviceId: string) => void;
  /** How much is in use: all are 0 when nobody is connected and a while has passed. */
  inUse: () => Readonly<Record<'sockets' | 'devices' | 'users' | 'calls' | 'mail', number>>;
  /** Resolves when all connections have left, or after a few seconds. Close the sockets before. */
  stop: () => Promise<void>;
}>;

/** How long a device that was removed may wait for the event that says so. */
const UNLINKED_WITHIN_MS = 500;
const STOP_WITHIN_MS = 5_000;
/** How long a socket that has failed may wait for its answer to our close frame. */
const FAILED_WITHIN_MS = 1_000;

/** Links the devices of this process with each other and with those of other instances. */
export const deviceLink = (deps: DeviceLinkDeps): DeviceLink => {
  const { clock, logger } = deps;
  const timing = { ...usualTiming, ...deps.timing };
  const board = switchboard({ ...deps, timing });
  const open = openSockets();
  const alive = keepAlive(timing);

  const confirming = setInterval(() => {
    for (const connection of board.connections.all()) connection.outbox.ask();
  }, timing.confirmEveryMs);
  confirming.unref();

  const failed = (connection: Connection, isRegistering: boolean, error: unknown): void => {
    logger.error({ err: error, userId: connection.caller.userId }, 'a message of a device could not be handled');
    const message = 'the relay does not answer just now; try again';
    connection.outbox.send(errorFrame('temporarilyUnavailable', message, clock()), 'vital');
    if (isRegistering) connection.close(TRY_AGAIN, message);
  };
  const received = receiving({ board, clock, failed });

  const revoke = (connection: Connection): void => {
    board.revoked.add(connection);
    // The iOS app gets itself a new token when it reads this.
    const lastWord = errorFrame('authRequired', 'the session has ended; sign in again', clock());
    connection.close(REVOKED, 'the session has ended', lastWord);
    board.registering.end(connection).catch((error: unknown) => {
      logger.warn({ err: error }, 'a session that has ended may still be resumed, by the one who had it');
    });
  };

  const connect = connecting({ ...deps, timing });

  const socket: SocketHandler = (ws, caller, _url, opening) => {
    const place = open.add(ws);
    const connection = connect(ws, caller, opening, (over) => {
      clearTimeout(deadline);
      stopWaiting();
      void (isRegistered(over) ? board.leave(over) : Promise.resolve()).then(place.left);
    });
    alive.watch(ws, opening.bytesRead);
    readFrames(ws, (frame) => received(connection, frame));
    ws.on('pong', (data: Buffer) => connection.outbox.answered(data.toString('latin1')));
    // The library has sent a close frame with what was wrong; an unread answer to it must not hold the socket.
    ws.on('error', () => void setTimeout(() => ws.terminate(), FAILED_WITHIN_MS).unref());
    ws.once('close', () => {
      alive.forget(ws);
      place.closed();
    });
    const deadline = setTimeout(() => {
      if (!isRegistered(connection)) connection.close(POLICY_VIOLATION, 'no device was registered');
    }, timing.registerWithinMs);
    const stopWaiting = deps.sessionEnds(caller, () => revoke(connection));
    return Promise.resolve();
  };

  const quiet = async (): Promise<void> => {
    await open.quiet();
    await board.settled();
  };

  return {
    socket,
    announce: board.announce,
    unlink: (userId, deviceId) => {
      const connection = board.connections.find(userId, deviceId);
      if (connection === undefined) return;
      board.revoked.add(connection);
      // The event that says so ends it sooner, unless the relay is away.
      setTimeout(() => {
        if (board.connections.find(userId, deviceId) === connection) board.endLink(userId, deviceId);
      }, UNLINKED_WITHIN_MS).unref();
    },
    inUse: () => ({ sockets: open.size(), ...board.inUse() }),
    stop: async () => {
      clearInterval(confirming);
      const limit = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => limit.resolve(undefined), STOP_WITHIN_MS);
      await Promise.race([quiet(), limit.promise]);
      clearTimeout(timer);
      alive.stop();
      board.stop();
    },
  };
};
