import { randomUUID } from 'node:crypto';
import type { Caller } from '../../http/endpoint.ts';
import { isoOf, type Clock } from '../../kernel/clock.ts';
import { isUuid, uuidOf } from '../../kernel/ids.ts';
import type { Cause } from '../../kernel/message.ts';
import type { Opening } from '../upgrade.ts';

/** Causes for what a device makes happen over its socket: all of one connection belong together. */
export const causes = (
  caller: Caller,
  { requestId, ip }: Opening,
  hashAddress: (ip: string) => string,
  clock: Clock,
): (() => Cause) => {
  const correlationId = isUuid(requestId) ? requestId : uuidOf(`request|${requestId}`);
  const { userId, sessionId, deviceId, role } = caller;
  return () => ({
    at: isoOf(clock()),
    correlationId,
    causationId: randomUUID(),
    actor: { kind: role, id: userId },
    requestId,
    sessionId,
    ...(deviceId === undefined ? {} : { deviceId }),
    ipHash: hashAddress(ip),
  });
};
