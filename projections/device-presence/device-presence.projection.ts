import { DEVICE, type DeviceEvent, type DevicePresence } from '../../src/events/device/device.events.ts';
import { deviceUpcasters } from '../../src/events/device/device.upcasters.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import { devicePresenceTable as table } from './device-presence.table.ts';

type Said = Readonly<{ deviceId: string; userId: string; at: string }>;

const since = ({ revision }: Pick<Projected, 'revision'>, said: Said, presence: DevicePresence): readonly RowOp[] => [
  {
    op: 'insert',
    table,
    row: { device_id: said.deviceId, revision, user_id: said.userId, presence, at: said.at },
  },
];

/** The history of each device's presence: a row when it may have changed, none for the signs of life in between. */
export const devicePresenceProjection = defineProjection<DeviceEvent>({
  name: 'device-presence',
  version: 1,
  tables: [table],
  streamPrefixes: [`${DEVICE}-`],
  upcasters: deviceUpcasters,
  on: {
    DeviceRegistered: (event) => since(event, event.data, event.data.presence),
    DeviceUpdated: (event) => since(event, event.data, event.data.presence),
    DeviceSeen: (event) => (event.data.before === undefined ? [] : since(event, event.data, event.data.presence)),
    DeviceVisibilityChanged: (event) => since(event, event.data, event.data.presence),
    DeviceRemoved: (event) => since(event, event.data, 'offline'),
  },
});
