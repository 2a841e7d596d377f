// The device link behind the real edge, alone in a process: users are who their tokens say, and devices are not on record.
import { randomUUID } from 'node:crypto';
import type { Device } from '../../commands/devices/devices.state.ts';
import { memoryRelay } from '../../infra/relay/memory-relay.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { deviceLink } from '../../src/ws/device-link/device-link.ts';
import { sessionEnds } from '../../src/ws/session-watch.ts';
import { acceptSockets } from '../../src/ws/upgrade.ts';
import { ada, startHttp } from '../support/given-http.ts';
import { answerMemory } from './own-memory.ts';

/** Owners of the devices that say which one they are: only desktops do here. */
const desktops = new Map<string, string>();
const recordOf = (userId: string | undefined): Device =>
  userId === undefined ? { status: 'none' } : ({ status: 'registered', userId, kind: 'desktop' } as Device);

const clock = (): Date => new Date();
const edge = await startHttp([], {
  authenticator: ({ authorization = '', deviceId }) => {
    const userId = authorization.split(' ')[1] ?? '';
    if (deviceId !== undefined) desktops.set(deviceId, userId);
    return Promise.resolve({ ...ada, userId, sessionId: `of ${userId}` });
  },
  limits: { ...defaultLimits, socket: { perIp: 1_000_000, windowSeconds: 60 } },
});
const ignore = (): void => undefined;
const link = deviceLink({
  relay: memoryRelay().attach(randomUUID()),
  sessionEnds: sessionEnds({ isRevoked: () => false }, clock),
  device: (deviceId) => Promise.resolve(recordOf(desktops.get(deviceId))),
  notes: { beat: ignore, visibility: ignore, directory: ignore, presence: ignore },
  hashAddress: (ip) => ip,
  clock,
  logger: silentLogger,
});
acceptSockets({
  app: edge.http.app,
  server: edge.serving.server,
  gate: edge.http.gate,
  logger: silentLogger,
  handlers: { '/ws/device-link': link.socket },
  scopes: {},
  maxFrameBytes: 32 * 1024 * 1024,
  activity: edge.http.activity,
  refusalHeaders: edge.http.refusalHeaders,
});
answerMemory(Number(new URL(edge.url).port));
