import type { Device } from '../../../commands/devices/devices.state.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { DeviceRole, Presence, Relay, RelaySession } from '../../kernel/relay.ts';
import { isRegistered, type Connection, type Connections, type Registered } from './connections.ts';
import { announcer } from './announcing.ts';
import { errorFrame, registeredFrame, resumedFrame, type LinkErrorCode } from './frames.ts';
import { textOf } from './inbound.ts';
import type { PostOffice } from './post-office.ts';
import { welcome } from './welcome.ts';
import { linkSessions, sessionEnd } from './sessions.ts';
import type { Terminals } from './terminals.ts';

type Payload = Readonly<Record<string, unknown>>;

export type RegisteringDeps = Readonly<{
  relay: Relay;
  connections: Connections;
  office: PostOffice;
  terminals: Terminals;
  /** What is on record of a device. */
  device: (deviceId: string) => Promise<Device>;
  /** Told when a device has come or gone; what it does may take its time. */
  onPresence: (connection: Registered, online: boolean) => void;
  newId: () => string;
  clock: Clock;
}>;

const SUPERSEDED = 4001;
/** A session lives for a day; it need not be prolonged with every message. */
const KEEP_EVERY_MS = 60_000;

/** Lets devices in, as who they are, and out again. */
export type Registering = Readonly<{
  register: (connection: Connection, payload: Payload | undefined) => Promise<void>;
  /** Keeps the right to resume alive. */
  touch: (connection: Registered) => Promise<void>;
  leave: (connection: Connection) => Promise<void>;
}>;

/** Whoever is on record as a phone cannot take a desktop's calls, whatever it says. */
const roleOf = (device: Device, said: DeviceRole): DeviceRole => (device.status === 'registered' ? device.kind : said);

export const registering = (deps: RegisteringDeps): Registering => {
  const { relay, connections, office, terminals, clock } = deps;
  const sessions = linkSessions(relay);
  const announce = announcer(deps);
  const held = new WeakMap<Connection, { session: RelaySession; keptAt: number }>();
  const now = (): number => clock().getTime();

  const leave = async (connection: Connection): Promise<void> => {
    if (!isRegistered(connection)) return;
    const { presence, caller } = connection;
    connections.remove(connection);
    const wasCurrent = await relay.leave(caller.userId, presence);
    office.forget(caller.userId);
    if (!wasCurrent) return;
    await terminals.left(connection);
    await announce.status(connection, 'disconnected');
    deps.onPresence(connection, false);
  };

  const refuse = (connection: Connection, code: LinkErrorCode, message: string): undefined => {
    connection.outbox.send(errorFrame(code, message, clock()), 'vital');
  };

  /** The device that wants in; undefined when it was refused. */
  const admitted = async (connection: Connection, payload: Payload | undefined) => {
    const deviceId = textOf(payload, 'deviceId')?.toLowerCase();
    if (payload === undefined || deviceId === undefined) {
      return refuse(connection, 'missingDeviceId', 'register with the deviceId that the app has registered');
    }
    if (!isUuid(deviceId)) return refuse(connection, 'invalidDeviceId', 'deviceId must be a UUID');
    const device = await deps.device(deviceId);
    if (device.status === 'registered' && device.userId !== connection.caller.userId) {
      return refuse(connection, 'deviceOwnershipFailed', 'this device belongs to another account; register it again');
    }
    return { deviceId, device, payload };
  };

  /** The frame that lets it in; undefined when what it wanted to resume is not there. */
  const opened = async (connection: Connection, deviceId: string, payload: Payload): Promise<string | undefined> => {
    const whose = { userId: connection.caller.userId, deviceId };
    const [sessionId, token] = [textOf(payload, 'sessionId'), textOf(payload, 'resumeToken')];
    if (sessionId === undefined || token === undefined) {
      const { session, token: made } = await sessions.open(whose);
      held.set(connection, { session, keptAt: now() });
      return registeredFrame(session.sessionId, made, sessionEnd(clock()));
    }
    const session = await sessions.resume(whose, sessionId, token);
    if (session === undefined) return undefined;
    held.set(connection, { session, keptAt: now() });
    return resumedFrame(sessionId, sessionEnd(clock()));
  };

  /** Makes the connection one that others can reach. */
  const enter = async (connection: Connection, presence: Presence): Promise<Registered> => {
    const { userId } = connection.caller;
    const entered = Object.assign(connection, { presence, held: [] });
    const before = connections.find(userId, presence.deviceId);
    connections.add(entered);
    if (before !== undefined && before !== entered) before.close(SUPERSEDED, 'this device has connected again');
    const replaced = await relay.join(userId, presence);
    office.forget(userId);
    if (replaced !== undefined && replaced.instance !== relay.instance) {
      const { deviceId, connectionId } = replaced;
      await relay.send(replaced, { kind: 'superseded', userId, deviceId, connectionId });
    }
    return entered;
  };

  return {
    register: async (connection, given) => {
      const asked = await admitted(connection, given);
      if (asked === undefined) return;
      const { deviceId, device, payload } = asked;
      if (isRegistered(connection) && connection.presence.deviceId !== deviceId) await leave(connection);
      const frame = await opened(connection, deviceId, payload);
      if (frame === undefined) {
        refuse(connection, 'invalidResume', 'this session cannot be resumed; register without it');
        return;
      }
      connection.outbox.send(frame, 'vital');
      const since = now();
      const role = roleOf(device, connection.saidRole);
      const presence = { deviceId, connectionId: deps.newId(), instance: relay.instance, role, since };
      const entered = await enter(connection, presence);
      await welcome({ relay, terminals }, entered, payload['lastEventId']);
      await announce.status(entered, 'online');
      deps.onPresence(entered, true);
    },
    touch: async (connection) => {
      const own = held.get(connection);
      if (own === undefined || now() - own.keptAt < KEEP_EVERY_MS) return;
      own.keptAt = now();
      await relay.keepSession(own.session);
    },
    leave,
  };
};
