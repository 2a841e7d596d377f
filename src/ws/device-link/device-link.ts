import { randomUUID } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { DeviceRole, Relay } from '../../kernel/relay.ts';
import type { Device } from '../../../commands/devices/devices.state.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { SessionWatch } from '../session-watch.ts';
import type { Opening, Socket, SocketHandler } from '../upgrade.ts';
import { announcer, type Announcer } from './announcing.ts';
import { calls } from './calls.ts';
import { causes } from './causes.ts';
import { connections, isRegistered, type Connection, type Registered } from './connections.ts';
import { errorFrame } from './frames.ts';
import { inbox, type Frame } from './inbox.ts';
import { readInbound } from './inbound.ts';
import { keepAlive } from './keep-alive.ts';
import { messages, type DeviceNotes } from './messages.ts';
import { outbox } from './outbox.ts';
import { postOffice } from './post-office.ts';
import { registering } from './registering.ts';
import { terminals as terminalsOf } from './terminals.ts';
import { catchUp } from './welcome.ts';

export type DeviceLinkDeps = Readonly<{
  relay: Relay;
  watch: SessionWatch;
  /** What is on record of a device. */
  device: (deviceId: string) => Promise<Device>;
  notes: DeviceNotes & Readonly<{ presence: (connection: Registered, online: boolean) => void }>;
  hashAddress: (ip: string) => string;
  clock: Clock;
  logger: Logger;
}>;

/** The relay between a user's devices. */
export type DeviceLink = Readonly<{
  socket: SocketHandler;
  announce: Announcer;
  /** A device is not the user's any more: its connection here ends. */
  unlink: (userId: string, deviceId: string) => void;
  open: () => number;
  stop: () => void;
}>;

/** Close codes of our own; clients come back after each but the last. */
const TRY_AGAIN = 1013;
const FAILED = 1011;
const POLICY_VIOLATION = 1008;
const REVOKED = 4003;

const RENEW_EVERY_MS = 15_000;
/** How long a socket may stay without saying which device it is. */
const REGISTER_WITHIN_MS = 15_000;

const roleOf = (header: string | undefined): DeviceRole =>
  header === 'desktop' || header === 'mobile' ? header : 'other';

/** Links the devices of this process with each other and with those of other instances. */
export const deviceLink = (deps: DeviceLinkDeps): DeviceLink => {
  const { relay, clock, logger } = deps;
  const now = (): number => clock().getTime();
  const here = connections();
  const office = postOffice({ relay, connections: here, now, logger });
  const terminals = terminalsOf({ relay, office, clock });
  const calling = calls({ office, newId: randomUUID, clock });
  const announce = announcer({ relay, clock });
  const letIn = registering({
    ...{ relay, connections: here, office, terminals, clock },
    device: deps.device,
    onPresence: (connection, online) => {
      if (!online && connection.presence.role === 'desktop') calling.desktopLeft(connection.caller.userId);
      deps.notes.presence(connection, online);
    },
    newId: randomUUID,
  });
  const handle = messages({ registering: letIn, calls: calling, terminals, announce, notes: deps.notes, clock });

  const renewing = setInterval(() => {
    office.sweep();
    const present = here.all().map(({ caller, presence }) => ({ userId: caller.userId, presence }));
    if (present.length === 0) return;
    relay.renew(present).catch((error: unknown) => logger.warn({ err: error }, 'presence could not be renewed'));
  }, RENEW_EVERY_MS);
  renewing.unref();

  relay.onInterruption(() => {
    for (const connection of here.all()) {
      office.forget(connection.caller.userId);
      catchUp(relay, connection).catch(() => connection.close(TRY_AGAIN, 'events may be missing; come back'));
    }
  });

  const connect = (socket: Socket, caller: Caller, opening: Opening): Connection => {
    let closing = false;
    const close = (code: number, reason: string): void => {
      if (closing) return;
      closing = true;
      socket.close(code, reason);
      // A peer that does not answer a close frame is not waited for.
      setTimeout(() => socket.terminate(), 2_000).unref();
    };
    return {
      caller,
      outbox: outbox(socket, () => {
        logger.warn(
          { userId: caller.userId, requestId: opening.requestId },
          'a device does not read; it is to come back',
        );
        close(TRY_AGAIN, 'too much waits to be read; come back and resume');
      }),
      saidRole: roleOf(opening.header('x-client-type')),
      presence: undefined,
      activeSession: undefined,
      held: undefined,
      sentEventId: 0,
      cause: causes(caller, opening, deps.hashAddress, clock),
      close,
    };
  };

  const received = async (connection: Connection, { data, isBinary }: Frame): Promise<void> => {
    if (isBinary) {
      if (isRegistered(connection)) await terminals.output(connection, data);
      return;
    }
    const message = readInbound(data.toString('utf8'));
    if (message === undefined) {
      connection.outbox.send(errorFrame('invalidJson', 'a message is a JSON object with a type', clock()), 'vital');
      return;
    }
    await handle(connection, message, data.length);
  };

  const socket: SocketHandler = (ws, caller, _url, opening) => {
    const connection = connect(ws, caller, opening);
    const closed = Promise.withResolvers<undefined>();
    const log = { requestId: opening.requestId, userId: caller.userId };
    inbox(ws, async (frame) => {
      try {
        await received(connection, frame);
      } catch (error) {
        logger.error({ ...log, err: error }, 'a message of a device could not be handled');
        connection.close(isRegistered(connection) ? FAILED : TRY_AGAIN, 'the relay failed; come back');
      }
    });
    const deadline = setTimeout(() => {
      if (!isRegistered(connection)) connection.close(POLICY_VIOLATION, 'no device was registered');
    }, REGISTER_WITHIN_MS);
    const session = deps.watch(caller);
    session.ended.addEventListener('abort', () => {
      // The iOS app gets itself a new token when it reads this.
      connection.outbox.send(errorFrame('authRequired', 'the session has ended; sign in again', clock()), 'vital');
      connection.close(REVOKED, 'the session has ended');
    });
    const alive = keepAlive(ws);
    ws.once('close', () => {
      clearTimeout(deadline);
      session.stop();
      alive.stop();
      letIn
        .leave(connection)
        .catch((error: unknown) => logger.warn({ ...log, err: error }, 'a device has left and not all heard of it'))
        .finally(() => closed.resolve(undefined));
    });
    ws.on('error', () => ws.terminate());
    return closed.promise;
  };

  return {
    socket,
    announce,
    unlink: (userId, deviceId) => here.find(userId, deviceId)?.close(REVOKED, 'this device is not linked any more'),
    open: () => here.all().length,
    stop: () => clearInterval(renewing),
  };
};
