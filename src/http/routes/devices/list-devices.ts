import { z } from 'zod';
import type { DeviceLinks, Heartbeat, Heartbeats } from '../../../../commands/devices/device-presence.ts';
import { listDevices, type ListedDevice } from '../../../../queries/devices/list-devices.query.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { microsecondTime } from './device-time.ts';

const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const deviceType = z.string().max(50);

/** The documents say camelCase, the mobile app says snake_case. */
const query = z
  .object({
    deviceType: deviceType.optional(),
    device_type: deviceType.optional(),
    connectedOnly: flag.optional(),
    connected_only: flag.optional(),
  })
  .transform((given) => ({
    deviceType: given.deviceType ?? given.device_type,
    connectedOnly: given.connectedOnly ?? given.connected_only ?? false,
  }));

type Live = Readonly<{ device: ListedDevice; beat: Heartbeat | undefined; isConnected: boolean }>;

const seenAt = ({ device, beat }: Live): string => {
  const beatAt = beat === undefined ? '' : microsecondTime(beat.at);
  return beatAt > device.seenAt ? beatAt : device.seenAt;
};

/** Only who can be reached is online, or away when it says so; what was last written down does not count. */
const statusOf = ({ beat, isConnected }: Live): string => {
  if (!isConnected) return 'offline';
  return beat?.presence === 'away' ? 'away' : 'online';
};

const presented = (live: Live) => {
  const { device, beat, isConnected } = live;
  return {
    deviceId: device.deviceId,
    deviceName: device.name,
    deviceType: device.kind,
    platform: device.platform,
    platformVersion: device.platformVersion,
    appVersion: device.appVersion,
    status: statusOf(live),
    lastHeartbeat: seenAt(live),
    cpuUsage: beat?.cpuUsage ?? null,
    memoryUsage: beat?.memoryUsage ?? null,
    diskSpaceGb: beat?.diskSpaceGb ?? null,
    activeJobs: beat?.activeJobs ?? 0,
    capabilities: device.capabilities,
    isConnected,
    createdAt: device.createdAt,
    updatedAt: device.updatedAt,
  };
};

const newestFirst = (a: Live, b: Live): number => {
  const [left, right] = [seenAt(a), seenAt(b)];
  if (left === right) return 0;
  return left > right ? -1 : 1;
};

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; links: DeviceLinks; beats: Pick<Heartbeats, 'of'> }>;

/** The user's desktops, the one that gave a sign of life last first. */
export const listDevicesEndpoint = ({ queries, links, beats }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/devices',
    limit: 'read',
    query,
    handle: async ({ query: wanted }, { userId }) => {
      const [devices, connected] = await Promise.all([
        queries.asUser(userId, listDevices(userId)),
        links.connected(userId),
      ]);
      const live = await Promise.all(
        devices
          .filter(({ kind }) => wanted.deviceType === undefined || wanted.deviceType === kind)
          .map(async (device): Promise<Live> => {
            const beat = await beats.of(device.deviceId);
            return { device, beat, isConnected: connected.has(device.deviceId) };
          }),
      );
      const shown = live.filter(({ isConnected }) => isConnected || !wanted.connectedOnly);
      return json(200, shown.toSorted(newestFirst).map(presented));
    },
  });
