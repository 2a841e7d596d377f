import type { Clock } from '../../kernel/clock.ts';
import type { Calls } from './calls.ts';
import { textOf, type ClientMessage } from './client-message.ts';
import { isRegistered, type Connection, type Registered } from './connections.ts';
import type { DeviceEvents, DeviceNotes } from './events.ts';
import { errorFrame, INVALID_REQUEST, PONG, rpcErrorFrame, type LinkErrorCode } from './frames.ts';
import type { Registering } from './registering.ts';
import { callId } from './rpc.ts';
import type { Terminals } from './terminals.ts';

type Deps = Readonly<{
  registering: Registering;
  calls: Calls;
  terminals: Terminals;
  events: DeviceEvents;
  notes: Pick<DeviceNotes, 'beat'>;
  clock: Clock;
}>;

/** Undefined: it is done already. */
type Doing = Promise<void> | undefined;

/** Does what a message asks for. Throws or rejects when the relay does not answer, or through a fault of ours. */
export type Messages = (connection: Connection, message: ClientMessage) => Doing;

type Handling = (connection: Registered, message: ClientMessage) => Doing;

export const messages = ({ registering, calls, terminals, events, notes, clock }: Deps): Messages => {
  const say = (connection: Connection, frame: string): undefined => {
    connection.outbox.send(frame, 'vital');
  };
  const refuse = (connection: Connection, code: LinkErrorCode, message: string): undefined =>
    say(connection, errorFrame(code, message, clock()));

  const heartbeat: Handling = async (connection, { payload }) => {
    connection.outbox.send(PONG, 'vital');
    if (payload === undefined) return refuse(connection, 'missingPayload', 'a heartbeat needs a payload');
    notes.beat(connection, payload);
    await registering.touch(connection);
    const sessionId = textOf(payload, 'activeSessionId');
    if (sessionId !== undefined) await events.activeSession(connection, { sessionId });
  };

  const event: Handling = async (connection, message) => {
    const fault = await events.event(connection, message);
    if (fault !== undefined) refuse(connection, 'invalidEvent', fault);
  };

  const call: Handling = (connection, message) => {
    const asked = calls.request(connection, message);
    if (asked === undefined) return registering.touch(connection);
    return asked.then(() => registering.touch(connection));
  };

  /** Each says itself what is wrong with a message. */
  const TELLING: Readonly<Record<string, Handling>> = { event, 'rpc.request': call, 'rpc.response': calls.response };

  const OTHER: Readonly<Record<string, Handling>> = {
    heartbeat,
    'terminal.binary.bind': (connection, { payload }) => terminals.bind(connection, payload),
    'terminal.binary.unbind': (connection, { payload }) => terminals.unbind(connection, payload),
    // Where a device stands it says itself when it comes back.
    'event-ack': () => undefined,
  };

  const handlingOf = ({ type, unreadable }: ClientMessage): Handling | undefined => {
    if (Object.hasOwn(TELLING, type)) return TELLING[type];
    if (!Object.hasOwn(OTHER, type)) return undefined;
    if (unreadable === undefined) return OTHER[type];
    return (connection) => refuse(connection, 'invalidMessage', unreadable);
  };

  /** A socket that has not said which device it is. */
  const unregistered = (connection: Connection, { type, payload }: ClientMessage): undefined => {
    if (type === 'heartbeat') return say(connection, PONG);
    if (type === 'rpc.request') {
      const error = { code: INVALID_REQUEST, message: 'register first' };
      return say(connection, rpcErrorFrame(callId(payload) ?? '', error));
    }
    if (type === 'rpc.response') return refuse(connection, 'authRequired', 'register before answering calls');
    return refuse(connection, 'notRegistered', 'register first');
  };

  return (connection, message) => {
    const { type, payload } = message;
    if (type === 'pong') return undefined;
    if (type === 'ping') return say(connection, PONG);
    if (type === 'register') return registering.register(connection, payload);
    const handle = handlingOf(message);
    if (handle === undefined) return refuse(connection, 'unknownMessageType', 'there is no message of this type');
    if (!isRegistered(connection)) return unregistered(connection, message);
    return handle(connection, message);
  };
};
