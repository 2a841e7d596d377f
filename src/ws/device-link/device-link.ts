import type { SocketHandler } from '../upgrade.ts';
import type { Announcer } from './announcing.ts';
import { POLICY_VIOLATION, REVOKED, TRY_AGAIN } from './close-codes.ts';
import { connecting } from './connecting.ts';
import { isRegistered, type Connection } from './connections.ts';
import type { DeviceLinkDeps } from './device-link.deps.ts';
import { errorFrame } from './frames.ts';
import { readClientMessage } from './client-message.ts';
import { keepAlive } from './keep-alive.ts';
import { readFrames, type Frame } from './reading.ts';
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

/** Links the devices of this process with each other and with those of other instances. */
export const deviceLink = (deps: DeviceLinkDeps): DeviceLink => {
  const { clock, logger } = deps;
  const timing = { ...usualTiming, ...deps.timing };
  const board = switchboard({ ...deps, timing });
  const sockets = new Set<Promise<void>>();

  const confirming = setInterval(() => {
    for (const connection of board.connections.all()) connection.outbox.ask();
  }, timing.confirmEveryMs);
  confirming.unref();

  const failed = (connection: Connection, isRegistering: boolean): void => {
    const message = 'the relay does not answer just now; try again';
    connection.outbox.send(errorFrame('temporarilyUnavailable', message, clock()), 'vital');
    if (isRegistering) connection.close(TRY_AGAIN, message);
  };

  const received = async (connection: Connection, { data, isBinary }: Frame): Promise<void> => {
    if (board.revoked.has(connection)) return;
    let isRegistering = false;
    try {
      if (isBinary) {
        if (isRegistered(connection)) await board.terminals.output(connection, data);
        return;
      }
      const message = readClientMessage(data.toString('utf8'), data.length);
      if (message === 'no-json' || message === 'no-type') {
        const code = message === 'no-json' ? 'invalidJson' : 'unknownMessageType';
        connection.outbox.send(errorFrame(code, 'a message is a JSON object with a type', clock()), 'vital');
        return;
      }
      isRegistering = message.type === 'register';
      await board.handle(connection, message);
    } catch (error) {
      logger.error({ err: error, userId: connection.caller.userId }, 'a message of a device could not be handled');
      failed(connection, isRegistering);
    }
  };

  const revoke = (connection: Connection): void => {
    board.revoked.add(connection);
    // The iOS app gets itself a new token when it reads this.
    const lastWord = errorFrame('authRequired', 'the session has ended; sign in again', clock());
    connection.close(REVOKED, 'the session has ended', lastWord);
    board.registering.end(connection).catch((error: unknown) => {
      logger.warn({ err: error }, 'a session that has ended may still be resumed, by the one who had it');
    });
  };

  const socket: SocketHandler = (ws, caller, _url, opening) => {
    const left = Promise.withResolvers<undefined>();
    const connect = connecting({
      ...deps,
      timing,
      onOver: (connection) => {
        clearTimeout(deadline);
        session.stop();
        const leaving = isRegistered(connection) ? board.leave(connection) : Promise.resolve();
        void leaving.then(() => left.resolve(undefined));
      },
    });
    const connection = connect(ws, caller, opening);
    readFrames(ws, (frame) => received(connection, frame));
    ws.on('pong', (data: Buffer) => connection.outbox.answered(data.toString('latin1')));
    // The library has sent a close frame with what was wrong; an unread answer to it must not hold the socket.
    ws.on('error', () => void setTimeout(() => ws.terminate(), 1_000).unref());
    const deadline = setTimeout(() => {
      if (!isRegistered(connection)) connection.close(POLICY_VIOLATION, 'no device was registered');
    }, timing.registerWithinMs);
    const session = deps.watch(caller);
    session.ended.addEventListener('abort', () => revoke(connection));
    const alive = keepAlive(ws, timing);
    const closed = new Promise<void>((resolve) => {
      ws.once('close', () => {
        alive.stop();
        void left.promise.then(() => resolve());
      });
    });
    sockets.add(closed);
    void closed.then(() => sockets.delete(closed));
    return closed;
  };

  const quiet = async (): Promise<void> => {
    await Promise.all(sockets);
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
    inUse: () => ({ sockets: sockets.size, ...board.inUse() }),
    stop: async () => {
      clearInterval(confirming);
      const limit = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => limit.resolve(undefined), STOP_WITHIN_MS);
      await Promise.race([quiet(), limit.promise]);
      clearTimeout(timer);
      board.stop();
    },
  };
};
