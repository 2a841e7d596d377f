import type { NumberedEvent } from '../../kernel/relay.ts';

/** An instant as the clients read it. */
const timestampOf = (now: Date): string => now.toISOString();

/** Codes that the iOS app does not take for the end of the connection, unless it says otherwise here. */
export type LinkErrorCode =
  | 'invalidJson'
  | 'unknownMessageType'
  /** Something about this one message is wrong. */
  | 'invalidMessage'
  /** A `register` without a payload. Ends the connection on iOS, so nothing else is answered with it. */
  | 'invalidPayload'
  | 'invalidEvent'
  | 'missingDeviceId'
  /** Ends the connection on iOS. */
  | 'invalidDeviceId'
  /** Ends the connection on iOS, which then gets itself a new token. */
  | 'authRequired'
  /** Ends the connection on iOS. */
  | 'deviceOwnershipFailed'
  | 'invalidResume'
  | 'notRegistered'
  | 'temporarilyUnavailable'
  | 'missingClientId'
  | 'missingPayload'
  | 'missingSessionId'
  | 'producerNotConnected'
  | 'forwardFailed';

export const errorFrame = (code: LinkErrorCode, message: string, now: Date): string =>
  JSON.stringify({ type: 'error', code, message, timestamp: timestampOf(now) });

export const PONG = JSON.stringify({ type: 'pong' });

export const registeredFrame = (sessionId: string, resumeToken: string, expiresAt: string): string =>
  JSON.stringify({ type: 'registered', sessionId, resumeToken, expiresAt });

export const resumedFrame = (sessionId: string, expiresAt: string): string =>
  JSON.stringify({ type: 'resumed', sessionId, expiresAt });

/** An event for a device. Those without an id are about the link itself and nothing to come back to. */
export const eventFrame = (event: Omit<NumberedEvent, 'eventId'> & Readonly<{ eventId?: number }>): string =>
  JSON.stringify({
    type: 'event',
    payload: { eventType: event.eventType, payload: event.payload },
    ...(event.eventId === undefined ? {} : { eventId: event.eventId }),
    targetDeviceId: null,
    sourceDeviceId: event.sourceDeviceId,
    timestamp: event.at,
  });

/** What a caller is told instead of an answer. Codes are those of JSON-RPC, and -32010 of the relay. */
export type RpcError = Readonly<{ code: number; message: string }>;

/** The iOS app looks for this code, and for this phrase. */
export const DESKTOP_OFFLINE: RpcError = { code: -32010, message: 'Desktop is offline' };
export const INVALID_REQUEST = -32600;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

/** The relay does not answer, so that nobody can tell. */
export const OUT_OF_SIGHT: RpcError = {
  code: INTERNAL_ERROR,
  message: 'the relay does not answer just now, so the desktop may be there or not; try again',
};
export const TOO_MANY_CALLS: RpcError = {
  code: INTERNAL_ERROR,
  message: 'too many calls wait for a desktop that is reconnecting; try again',
};

/** The desktop's library ends a connection over which a larger frame comes: 16 MiB, and a little for what we put around. */
export const LARGEST_FOR_DESKTOPS = 16 * 1024 * 1024 - 64 * 1024;

const CALL = '{"type":"rpc.request","payload":{"clientId":"';
const ANSWER = '{"type":"rpc.response",';

/** True for a frame that `rpcRequestFrame` made. */
export const isCall = (frame: string): boolean => frame.startsWith(CALL);
/** True for a frame that `rpcRequestFrame` or `rpcResponseFrame` made. */
export const isCallOrAnswer = (frame: string): boolean => frame.startsWith(ANSWER) || isCall(frame);

export const rpcResponseFrame = (payload: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ type: 'rpc.response', payload });

/** What is before an answer's id, when it says that first. */
const ANSWER_ID = /^\{"type":"rpc\.response","payload":\{"id":("(?:[^"\\]|\\.)*")/;

const answerIdOf = (frame: string): string => {
  const first = ANSWER_ID.exec(frame)?.[1];
  if (first !== undefined) return JSON.parse(first) as string;
  const { id } = (JSON.parse(frame) as { payload: Readonly<{ id?: unknown }> }).payload;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : '';
};

/** What a caller gets for an answer that there was no room to keep while it was away. */
export const goneFrame = (answer: string): string =>
  rpcErrorFrame(answerIdOf(answer), {
    code: INTERNAL_ERROR,
    message: 'the answer was too much to be kept while this device was away; ask again',
  });

export const rpcErrorFrame = (id: string, error: RpcError): string =>
  rpcResponseFrame({ id, result: null, error, isFinal: true });

/** A call as a desktop gets it. `clientId`, `id` and `method` come first in the frame, for `callKeyOf`. */
export const rpcRequestFrame = (
  { clientId, id, method }: Readonly<{ clientId: string; id: string; method: string }>,
  more: Readonly<Record<string, unknown>>,
): string => JSON.stringify({ type: 'rpc.request', payload: { clientId, id, method, ...more } });

/** Names a call among those to one desktop. */
export const callKey = (clientId: string, id: string): string => `${clientId}","id":${JSON.stringify(id).slice(0, -1)}`;

/** The key of the call that a frame is, without reading all of it; undefined when it is none. */
export const callKeyOf = (frame: string): string | undefined =>
  // Nothing inside a JSON text looks like the mark: its quotes would have backslashes.
  isCall(frame) ? frame.slice(CALL.length, frame.indexOf('","method":', CALL.length)) : undefined;

export type TerminalVerb = 'bind' | 'unbind' | 'bound';

export const terminalFrame = (verb: TerminalVerb, payload: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ type: `terminal.binary.${verb}`, payload });
