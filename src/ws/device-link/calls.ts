import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../kernel/clock.ts';
import type { Presence } from '../../kernel/relay.ts';
import type { Connection, Registered } from './connections.ts';
import {
  DESKTOP_OFFLINE,
  errorFrame,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  rpcErrorFrame,
  rpcRequestFrame,
  rpcResponseFrame,
} from './frames.ts';
import { isObject, textOf, type Inbound } from './inbound.ts';
import type { PostOffice } from './post-office.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Calls of phones to the user's desktop, and its answers. */
export type Calls = Readonly<{
  request: (connection: Registered, message: Inbound) => Promise<void>;
  response: (connection: Registered, message: Inbound) => Promise<void>;
  /** To be told whenever a desktop of a user has gone. */
  desktopLeft: (userId: string) => void;
}>;

type Deps = Readonly<{ office: PostOffice; newId: () => string; clock: Clock }>;

/** A desktop that left so recently is waited for, well within the three seconds that the phone gives to a ping. */
const RECENTLY_MS = 10_000;
const HOLD_MS = 2_000;
const LOOK_EVERY_MS = 100;
/** Calls of one user that are held at once. */
const MOST_HELD = 100;

/** A call's id as the caller knows it. Numbers are not of the contract, but no reason to leave a caller without an answer. */
const idOf = (payload: Payload | undefined): string | undefined => {
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

export const calls = ({ office, newId, clock }: Deps): Calls => {
  const leftAt = new Map<string, number>();
  const heldBy = new Map<string, number>();

  const desktopOf = async ({ caller, presence }: Registered): Promise<Presence | undefined> =>
    (await office.present(caller.userId)).find(
      ({ role, deviceId }) => role === 'desktop' && deviceId !== presence.deviceId,
    );

  const mayComeBack = (userId: string): boolean =>
    clock().getTime() - (leftAt.get(userId) ?? 0) < RECENTLY_MS && (heldBy.get(userId) ?? 0) < MOST_HELD;

  /** Waits a moment for a desktop that is reconnecting. */
  const desktopSoon = async (connection: Registered): Promise<Presence | undefined> => {
    const { userId } = connection.caller;
    heldBy.set(userId, (heldBy.get(userId) ?? 0) + 1);
    try {
      const end = clock().getTime() + HOLD_MS;
      while (clock().getTime() < end) {
        await wait(LOOK_EVERY_MS);
        const desktop = await desktopOf(connection);
        if (desktop !== undefined) return desktop;
      }
      return undefined;
    } finally {
      const left = (heldBy.get(userId) ?? 1) - 1;
      if (left === 0) heldBy.delete(userId);
      else heldBy.set(userId, left);
    }
  };

  /** Brings a call to a desktop; undefined when it was brought, else how the caller is to be answered. */
  const bring = async (connection: Registered, payload: Payload, desktop: Presence | undefined): Promise<boolean> =>
    desktop !== undefined &&
    (await office.sendText(connection.caller.userId, desktop.deviceId, rpcRequestFrame(payload)));

  const answer = (connection: Connection, frame: string): void => connection.outbox.send(frame, 'vital');

  const bringOrHold = async (connection: Registered, payload: Payload & Readonly<{ id: string }>): Promise<void> => {
    if (await bring(connection, payload, await desktopOf(connection))) return;
    const { userId } = connection.caller;
    office.forget(userId);
    if (mayComeBack(userId) && (await bring(connection, payload, await desktopSoon(connection)))) return;
    answer(connection, rpcErrorFrame(payload.id, DESKTOP_OFFLINE));
  };

  const request: Calls['request'] = async (connection, { payload, hasForbiddenKey }) => {
    const id = idOf(payload) ?? newId();
    const refuse = (code: number, message: string): void => answer(connection, rpcErrorFrame(id, { code, message }));
    if (hasForbiddenKey) return refuse(INVALID_REQUEST, 'keys with an underscore are not passed on; use camelCase');
    const method = textOf(payload, 'method');
    if (method === undefined) return refuse(INVALID_REQUEST, 'method is missing');
    const params = paramsOf(method, payload?.['params']);
    if (params === undefined) return refuse(INVALID_PARAMS, `${method} needs an object with an object 'state'`);
    const idempotencyKey = textOf(payload, 'idempotencyKey');
    const call = {
      id,
      method,
      params,
      clientId: connection.presence.deviceId,
      userId: connection.caller.userId,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
    await bringOrHold(connection, call);
  };

  const response: Calls['response'] = async (connection, { payload, hasForbiddenKey }) => {
    const clientId = textOf(payload, 'clientId')?.toLowerCase();
    if (payload === undefined || clientId === undefined) {
      answer(connection, errorFrame('missingClientId', 'an answer needs the clientId of its call', clock()));
      return;
    }
    const { clientId: _own, ...rest } = payload;
    // The phone throws away what has such a key, and would wait for ever.
    const unreadable = { code: INTERNAL_ERROR, message: 'the answer has keys with an underscore' };
    const frame = hasForbiddenKey
      ? rpcErrorFrame(idOf(payload) ?? '', unreadable)
      : rpcResponseFrame({ result: null, error: null, ...rest, isFinal: payload['isFinal'] ?? true });
    await office.sendMail(connection.caller.userId, clientId, frame);
  };

  return { request, response, desktopLeft: (userId) => void leftAt.set(userId, clock().getTime()) };
};
