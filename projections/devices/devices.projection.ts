import {
  DEVICE,
  type DeviceDetails,
  type DeviceEvent,
  type DeviceRegistered,
} from '../../src/events/device/device.events.ts';
import { deviceUpcasters } from '../../src/events/device/device.upcasters.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { devicesTable } from './devices.table.ts';

const change = (deviceId: string, set: Row): RowOp => ({
  op: 'set',
  table: devicesTable,
  key: { device_id: deviceId },
  set,
});

const factsOf = (data: DeviceRegistered['data'], details: DeviceDetails | null): Row => ({
  user_id: data.userId,
  kind: data.kind,
  platform: data.platform,
  platform_version: data.platformVersion,
  app_version: data.appVersion,
  relay_eligible: data.relayEligible,
  presence: data.presence,
  name: details?.name ?? null,
  capabilities: details?.capabilities ?? null,
  seen_at: data.at,
  updated_at: data.at,
});

/** The list of each user's devices. */
export const devicesProjection = defineProjection<DeviceEvent>({
  name: 'devices',
  version: 2,
  tables: [devicesTable],
  streamPrefixes: [`${DEVICE}-`],
  upcasters: deviceUpcasters,
  on: {
    DeviceRegistered: ({ data, opened }) => [
      change(data.deviceId, {
        ...factsOf(data, opened['details'] as DeviceDetails | null),
        directory: null,
        push_token_hash: null,
        created_at: data.at,
      }),
    ],
    DeviceUpdated: ({ data, opened }) => [
      change(data.deviceId, factsOf(data, opened['details'] as DeviceDetails | null)),
    ],
    DeviceDirectoryChanged: ({ data, opened }) => [
      change(data.deviceId, { directory: (opened['directory'] ?? null) as string | null, updated_at: data.at }),
    ],
    DeviceVisibilityChanged: ({ data }) => [
      change(data.deviceId, { relay_eligible: data.relayEligible, presence: data.presence, updated_at: data.at }),
    ],
    DeviceSeen: ({ data }) => [
      change(data.deviceId, { presence: data.presence, seen_at: data.at, updated_at: data.at }),
    ],
    DevicePushTokenChanged: ({ data }) => [change(data.deviceId, { push_token_hash: data.tokenHash })],
    DeviceRemoved: ({ data }) => [{ op: 'remove', table: devicesTable, key: { device_id: data.deviceId } }],
  },
});
