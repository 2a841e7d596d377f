import { DEVICE, type DeviceEvent } from '../../src/events/device/device.events.ts';
import { deviceUpcasters } from '../../src/events/device/device.upcasters.ts';
import type { Aggregate, SnapshotCodec } from '../../src/kernel/aggregate.ts';
import type { DeviceCommand } from './devices.commands.ts';
import { deviceDecider } from './devices.decider.ts';
import type { Device } from './devices.state.ts';

/** A device that is always on says about 290 things a day; the state is plain JSON. */
const deviceSnapshot: SnapshotCodec<Device> = {
  version: 2,
  every: 200,
  toJson: (state) => state,
  fromJson: (json) => json as Device,
};

/** A device, one stream each; it has at most one owner at a time. */
export const device: Aggregate<Device, DeviceCommand, DeviceEvent> = {
  category: DEVICE,
  decider: deviceDecider,
  upcasters: deviceUpcasters,
  snapshot: deviceSnapshot,
};
