import { z } from 'zod';
import type { Heartbeats } from '../../../../commands/devices/device-presence.ts';
import type { DeviceRegistry, Whose } from '../../../../commands/devices/device-registry.ts';
import type { DevicePresence } from '../../../events/device/device.events.ts';
import { json, userEndpoint, type Call, type Endpoint, type Reply } from '../../endpoint.ts';
import { eitherSpelling } from '../../either-spelling.ts';
import { uuidParams } from '../../path-params.ts';
import { sendingDevice } from './device-requests.ts';
import { microsecondTime } from './device-time.ts';

const percentage = z.number().min(0).max(999.99).nullish();

/** A device that is busy, or whatever else it may say of itself, is there. */
const status = z
  .string()
  .max(20)
  .transform((text): DevicePresence => {
    const said = text.trim().toLowerCase();
    return said === 'offline' || said === 'away' ? said : 'online';
  });

const members = z
  .object({
    status: status.nullish(),
    cpuUsage: percentage,
    memoryUsage: percentage,
    diskSpaceGb: z.int().min(0).nullish(),
    activeJobs: z.int().min(0).max(2_147_483_647).nullish(),
    metadata: z.record(z.string(), z.unknown()).nullish(),
  })
  .default({});

type Body = z.output<typeof members>;

const body = eitherSpelling<Body>(members);

type Deps = Readonly<{ registry: Pick<DeviceRegistry, 'report'>; beats: Pick<Heartbeats, 'record'> }>;

const beat = async (
  { registry, beats }: Deps,
  whose: Whose,
  { body: said, cause }: Call<Body, undefined>,
): Promise<Reply> => {
  const presence = said.status ?? 'online';
  // The owner is asked for first: nobody's heartbeat shows on somebody else's device.
  await registry.report(whose, presence, cause);
  await beats.record(whose.deviceId, {
    presence,
    cpuUsage: said.cpuUsage ?? null,
    memoryUsage: said.memoryUsage ?? null,
    diskSpaceGb: said.diskSpaceGb ?? null,
    activeJobs: said.activeJobs ?? 0,
    at: cause.at,
  });
  return json(200, { status: 'heartbeat_updated', timestamp: microsecondTime(cause.at) });
};

/** A sign of life of the device that the path names. */
export const heartbeatOfDevice = (deps: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/devices/:deviceId/heartbeat',
    limit: 'write',
    params: uuidParams('deviceId'),
    body,
    handle: (call: Call<Body, undefined>, { userId }) =>
      beat(deps, { deviceId: call.params['deviceId'] ?? '', userId }, call),
  });

/** A sign of life of the device that sends it, as the mobile app does. */
export const heartbeatOfSender = (deps: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/devices/heartbeat',
    limit: 'write',
    body,
    handle: (call: Call<Body, undefined>, { userId }) => beat(deps, { deviceId: sendingDevice(call), userId }, call),
  });
