import { isObject, textOf, type ClientMessage } from './client-message.ts';
import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  LARGEST_FOR_DESKTOPS,
  rpcRequestFrame,
  type RpcError,
} from './frames.ts';

type Json = Readonly<Record<string, unknown>>;

/** A call as the caller knows it and as the desktop gets it. */
export type Call = Readonly<{ userId: string; clientId: string; id: string; frame: string }>;

type Caller = Readonly<{ userId: string; deviceId: string }>;

/** A call's id. Numbers are not of the contract, but no reason to leave a caller without an answer. */
export const callId = (payload: Json | undefined): string | undefined => {
  const id = payload?.['id'];
  return typeof id === 'number' ? String(id) : textOf(payload, 'id');
};

const versionOf = (value: unknown): number => {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(Math.trunc(number)) ? Math.trunc(number) : 0;
};

/** The parameters as they are handed on; undefined when they are not what the method needs. */
const paramsOf = (method: string, params: unknown): unknown => {
  if (method !== 'session.syncHistoryState') return params ?? {};
  if (!isObject(params) || !isObject(params['state'])) return undefined;
  return { ...params, expectedVersion: versionOf(params['expectedVersion']) };
};

/** A character takes three bytes at most: hardly any frame has to be measured. */
const isTooLarge = (frame: string): boolean =>
  frame.length > LARGEST_FOR_DESKTOPS / 3 && Buffer.byteLength(frame) > LARGEST_FOR_DESKTOPS;

/** A request as it goes to a desktop, or what its caller is answered. What the sender may not choose is set here. */
export const callOf = (message: ClientMessage, id: string, caller: Caller): Call | RpcError => {
  const { payload, unreadable } = message;
  if (unreadable !== undefined) return { code: INVALID_REQUEST, message: unreadable };
  const method = textOf(payload, 'method');
  if (method === undefined) return { code: INVALID_REQUEST, message: 'method is missing' };
  const params = paramsOf(method, payload?.['params']);
  if (params === undefined)
    return { code: INVALID_PARAMS, message: `${method} needs an object with an object 'state'` };
  const idempotencyKey = textOf(payload, 'idempotencyKey');
  const { userId, deviceId: clientId } = caller;
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const frame = rpcRequestFrame({ clientId, id, method }, { params, userId, ...key });
  if (isTooLarge(frame)) return { code: INVALID_REQUEST, message: 'the desktop takes no call of 16 MiB; send less' };
  return { userId, clientId, id, frame };
};

/** A call that was on its way to a desktop, read from its frame. */
export const callIn = (frame: string): Call => {
  const { payload } = JSON.parse(frame) as { payload: Readonly<{ userId: string; clientId: string; id: string }> };
  const { userId, clientId, id } = payload;
  return { userId, clientId, id, frame };
};

/** What a caller gets for a desktop's answer. */
export const answerPayload = ({ payload = {}, unreadable }: ClientMessage): Json => {
  // The phone throws away what it cannot read, and would wait for ever.
  if (unreadable !== undefined) {
    const error = { code: INTERNAL_ERROR, message: `the answer cannot be handed on: ${unreadable}` };
    return { id: callId(payload) ?? '', result: null, error, isFinal: true };
  }
  const { clientId: _desktopsOwn, ...rest } = payload;
  return { id: payload['id'], result: null, error: null, ...rest, isFinal: payload['isFinal'] ?? true };
};
