import type { Device } from '../../../commands/devices/devices.state.ts';
import type { Clock } from '../../kernel/clock.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { DeviceRole, Relay, RelaySession } from '../../kernel/relay.ts';
import type { Announcer } from './announcing.ts';
import { textOf } from './client-message.ts';
import type { Connection, Connections, Registered } from './connections.ts';
import { isRegistered } from './connections.ts';
import type { Entering } from './entering.ts';
import { REVOKED } from './close-codes.ts';
import { errorFrame, registeredFrame, resumedFrame, type LinkErrorCode } from './frames.ts';
import { linkSessions, sessionEnd } from './sessions.ts';

type Payload = Readonly<Record<string, unknown>>;

export type RegisteringDeps = Readonly<{
  relay: Pick<Relay, 'keepSession' | 'session' | 'dropSession' | 'replay'>;
  connections: Connections;
  entering: Entering;
  announce: Announcer;
  /** What is on record of a device. */
  device: (deviceId: string) => Promise<Device>;
  clock: Clock;
}>;

/** Lets devices in, as who they are. */
export type Registering = Readonly<{
  /** Rejects when it cannot be known whether the device may come in. */
  register: (connection: Connection, payload: Payload | undefined) => Promise<void>;
  /** Keeps the right to resume alive; undefined when that is not due. */
  touch: (connection: Registered) => Promise<void> | undefined;
  /** Takes the right to resume away. */
  end: (connection: Connection) => Promise<void>;
}>;

/** A session lives for a day; it need not be prolonged with every message. */
const KEEP_EVERY_MS = 60_000;
/** Devices of one user on one instance. */
const MOST_DEVICES = 64;

type Refusal = Readonly<{ code: LinkErrorCode; message: string }>;
type Asked = Readonly<{ deviceId: string; role: DeviceRole; payload: Payload }>;

type Opened = Readonly<{ frame: string; session: RelaySession }>;

/** The ids that a client can hold: JSON numbers that are exact. */
const isEventId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

/** Only what is on record as a desktop can take a desktop's calls, whatever it says: the app registers before it links. */
const roleOf = (device: Device, said: DeviceRole): DeviceRole => {
  if (device.status === 'registered') return device.kind;
  return said === 'desktop' ? 'other' : said;
};

/** A device that nobody has registered is welcome; somebody else's is not, nor one that was removed. */
const ownerFault = (device: Device, userId: string): Refusal | undefined => {
  if (device.status === 'none' || (device.status === 'registered' && device.userId === userId)) return undefined;
  const why = device.status === 'removed' ? 'was removed' : 'belongs to another account';
  return { code: 'deviceOwnershipFailed', message: `this device ${why}; register it again` };
};

export const registering = (deps: RegisteringDeps): Registering => {
  const { relay, connections, entering, clock } = deps;
  const sessions = linkSessions(relay);
  const held = new WeakMap<Connection, { session: RelaySession; keptAt: number }>();
  const now = (): number => clock().getTime();

  const asked = async ({ caller, saidRole }: Connection, payload: Payload | undefined): Promise<Asked | Refusal> => {
    if (payload === undefined) return { code: 'invalidPayload', message: 'a payload with deviceId is needed' };
    const deviceId = textOf(payload, 'deviceId')?.toLowerCase();
    if (deviceId === undefined) {
      return { code: 'missingDeviceId', message: 'register with the deviceId that the app has registered' };
    }
    if (!isUuid(deviceId)) return { code: 'invalidDeviceId', message: 'deviceId must be a UUID' };
    if (caller.deviceId !== undefined && caller.deviceId !== deviceId) {
      return { code: 'deviceOwnershipFailed', message: 'the connection was opened by another device' };
    }
    const known = connections.find(caller.userId, deviceId);
    if (known === undefined && connections.count(caller.userId) >= MOST_DEVICES) {
      return { code: 'temporarilyUnavailable', message: 'too many devices of this user are connected' };
    }
    const device = await deps.device(deviceId);
    return ownerFault(device, caller.userId) ?? { deviceId, role: roleOf(device, saidRole), payload };
  };

  /** What lets it in; undefined when what it wanted to resume is not there. */
  const opened = async (connection: Connection, { deviceId, payload }: Asked): Promise<Opened | undefined> => {
    const whose = { userId: connection.caller.userId, deviceId };
    const [sessionId, token] = [textOf(payload, 'sessionId'), textOf(payload, 'resumeToken')];
    if (sessionId === undefined || token === undefined) {
      const { session, token: made } = await sessions.open(whose);
      held.set(connection, { session, keptAt: now() });
      return { frame: registeredFrame(session.sessionId, made, sessionEnd(clock())), session };
    }
    const session = await sessions.resume(whose, sessionId, token);
    if (session === undefined) return undefined;
    held.set(connection, { session, keptAt: now() });
    return { frame: resumedFrame(sessionId, sessionEnd(clock())), session };
  };

  const refuse = (connection: Connection, { code, message }: Refusal): void =>
    connection.outbox.send(errorFrame(code, message, clock()), 'vital');

  return {
    register: async (connection, given) => {
      const device = await asked(connection, given);
      if ('code' in device) return refuse(connection, device);
      const ticket = await opened(connection, device);
      if (ticket === undefined) {
        const message = 'this session cannot be resumed; register without it';
        return refuse(connection, { code: 'invalidResume', message });
      }
      const { deviceId, role, payload } = device;
      if (isRegistered(connection) && connection.entry.presence.deviceId !== deviceId) await entering.leave(connection);
      const lastEventId = payload['lastEventId'];
      const after = isEventId(lastEventId) ? lastEventId : (ticket.session.since ?? 0);
      await entering.enter(connection, { deviceId, role, frame: ticket.frame, after });
      // Removed while it came in: whoever looked for its connection then did not find it.
      const fault = ownerFault(await deps.device(deviceId), connection.caller.userId);
      if (fault !== undefined) connection.close(REVOKED, fault.message);
    },
    touch: (connection) => {
      const own = held.get(connection);
      if (own === undefined || now() - own.keptAt < KEEP_EVERY_MS) return undefined;
      own.keptAt = now();
      return relay.keepSession(own.session);
    },
    end: async (connection) => {
      const own = held.get(connection);
      held.delete(connection);
      if (own !== undefined) await relay.dropSession(own.session.sessionId);
    },
  };
};
