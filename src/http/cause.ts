import { isoOf, type Clock } from '../kernel/clock.ts';
import { isUuid, uuidOf } from '../kernel/ids.ts';
import type { Actor, Cause } from '../kernel/message.ts';
import type { Caller } from './endpoint.ts';

export type CauseDeps = Readonly<{
  clock: Clock;
  /** Keyed hash of an address, as event metadata carries it; absent: none is written. */
  hashAddress?: (ip: string) => string;
}>;

/** Who asks for something, from where, and by which request. */
export type Asked = Readonly<{ requestId: string; caller?: Caller; ip: string }>;

/** For what an API key did its own id is told: whose it is, the stream or the event says. */
const actorOf = (caller: Caller | undefined): Actor => {
  if (caller === undefined) return { kind: 'system', id: 'system' };
  const { apiKey, role, userId } = caller;
  return apiKey === undefined ? { kind: role, id: userId } : { kind: 'apiKey', id: apiKey.keyId };
};

/** What is written into the metadata of every event that follows from a request. */
export const causeOf = (deps: CauseDeps, { requestId, caller, ip }: Asked): Cause => {
  // Correlation ids are UUIDs for everyone who stores them; a caller's own id may be any text.
  const correlationId = isUuid(requestId) ? requestId : uuidOf(`request|${requestId}`);
  return {
    at: isoOf(deps.clock()),
    correlationId,
    causationId: correlationId,
    actor: actorOf(caller),
    requestId,
    ...(caller === undefined || caller.apiKey !== undefined ? {} : { sessionId: caller.sessionId }),
    ...(caller?.deviceId === undefined ? {} : { deviceId: caller.deviceId }),
    ...(deps.hashAddress === undefined ? {} : { ipHash: deps.hashAddress(ip) }),
  };
};
