import type { Clock } from '../../kernel/clock.ts';
import type { Announcer } from './announcing.ts';
import type { Calls } from './calls.ts';
import { isRegistered, type Connection, type Registered } from './connections.ts';
import { activeSessionIn, eventFault } from './event-rules.ts';
import { errorFrame, PONG, rpcErrorFrame, INVALID_REQUEST, type LinkErrorCode } from './frames.ts';
import { textOf, type Inbound } from './inbound.ts';
import type { Registering } from './registering.ts';
import type { Terminals } from './terminals.ts';

type Payload = Readonly<Record<string, unknown>>;

/** What devices say that is kept beyond the link. What it does may take its time, and its failures are its own. */
export type DeviceNotes = Readonly<{
  beat: (connection: Registered, payload: Payload) => void;
  visibility: (connection: Registered, visible: boolean) => void;
  directory: (connection: Registered, directory: string) => void;
}>;

type Deps = Readonly<{
  registering: Registering;
  calls: Calls;
  terminals: Terminals;
  announce: Announcer;
  notes: DeviceNotes;
  clock: Clock;
}>;

/** Does what a message asks for. What it throws is a fault of ours. */
export type Messages = (connection: Connection, message: Inbound, bytes: number) => Promise<void>;

type Handling = (connection: Registered, message: Inbound, bytes: number) => Promise<void> | void;

export const messages = ({ registering, calls, terminals, announce, notes, clock }: Deps): Messages => {
  const refuse = (connection: Connection, code: LinkErrorCode, message: string): void =>
    connection.outbox.send(errorFrame(code, message, clock()), 'vital');

  /** Tells the others which session a device works in, when that has changed. */
  const activeSession = async (
    connection: Registered,
    active: Readonly<{ sessionId: string; projectDirectory?: string }>,
  ): Promise<void> => {
    if (connection.activeSession === active.sessionId) return;
    connection.activeSession = active.sessionId;
    const { caller, presence } = connection;
    await announce.event(caller.userId, presence.deviceId, { eventType: 'active-session-changed', payload: active });
  };

  const heartbeat: Handling = async (connection, { payload }) => {
    connection.outbox.send(PONG, 'vital');
    if (payload === undefined) return refuse(connection, 'missingPayload', 'a heartbeat needs a payload');
    await registering.touch(connection);
    notes.beat(connection, payload);
    const sessionId = textOf(payload, 'activeSessionId');
    if (sessionId !== undefined) await activeSession(connection, { sessionId });
  };

  /** What some events change beyond being handed on. */
  const noteEvent = (connection: Registered, eventType: string, payload: unknown): void => {
    const members = (typeof payload === 'object' && payload !== null ? payload : {}) as Payload;
    if (eventType === 'device-visibility-updated' && typeof members['visible'] === 'boolean') {
      notes.visibility(connection, members['visible']);
    }
    const directory = textOf(members, 'projectDirectory');
    if (eventType === 'project-directory-updated' && directory !== undefined) notes.directory(connection, directory);
  };

  const event: Handling = async (connection, { payload, hasForbiddenKey }, bytes) => {
    const eventType = textOf(payload, 'eventType');
    if (eventType === undefined) return refuse(connection, 'invalidEvent', 'an event needs a payload with eventType');
    if (hasForbiddenKey) {
      return refuse(connection, 'invalidEvent', `${eventType} has a key with an underscore; use camelCase`);
    }
    const said = payload?.['payload'] ?? null;
    const fault = eventFault(eventType, said);
    if (fault !== undefined) return refuse(connection, 'invalidEvent', fault);
    const active = activeSessionIn(eventType, said);
    if (active !== undefined) await activeSession(connection, active);
    if (eventType === 'active-session-changed') connection.activeSession = textOf(said as Payload, 'sessionId');
    const { caller, presence } = connection;
    await announce.event(caller.userId, presence.deviceId, { eventType, payload: said }, bytes);
    noteEvent(connection, eventType, said);
  };

  const call: Handling = async (connection, message) => {
    // Only the sending is waited for, not a desktop that may come back.
    void calls.request(connection, message).catch(() => refuseCall(connection, message));
    await registering.touch(connection);
  };

  const refuseCall = (connection: Connection, { payload }: Inbound): void => {
    const error = { code: INVALID_REQUEST, message: 'the relay does not answer just now; try again' };
    connection.outbox.send(rpcErrorFrame(textOf(payload, 'id') ?? '', error), 'vital');
  };

  const HANDLING: Readonly<Record<string, Handling>> = {
    heartbeat,
    event,
    'rpc.request': call,
    'rpc.response': calls.response,
    'terminal.binary.bind': (connection, { payload }) => terminals.bind(connection, payload),
    'terminal.binary.unbind': (connection, { payload }) => terminals.unbind(connection, payload),
    // Where a device stands it says itself when it comes back.
    'event-ack': () => undefined,
  };

  const unregistered = (connection: Connection, { type, payload }: Inbound): void => {
    if (type === 'rpc.request') {
      const error = { code: INVALID_REQUEST, message: 'register first' };
      return connection.outbox.send(rpcErrorFrame(textOf(payload, 'id') ?? '', error), 'vital');
    }
    if (type === 'rpc.response') return refuse(connection, 'authRequired', 'register before answering calls');
    return refuse(connection, 'notRegistered', 'register first');
  };

  return async (connection, message, bytes) => {
    const { type, payload, hasForbiddenKey } = message;
    if (type === 'pong') return;
    if (type === 'ping') return connection.outbox.send(PONG, 'vital');
    if (type === 'register') return registering.register(connection, payload);
    const handle = Object.hasOwn(HANDLING, type) ? HANDLING[type] : undefined;
    if (handle === undefined) return refuse(connection, 'unknownMessageType', 'there is no message of this type');
    if (!isRegistered(connection)) return unregistered(connection, message);
    const tellsItself = type.startsWith('rpc.') || type === 'event';
    if (hasForbiddenKey && !tellsItself) {
      return refuse(connection, 'invalidMessage', 'keys with an underscore are not passed on; use camelCase');
    }
    await handle(connection, message, bytes);
  };
};
