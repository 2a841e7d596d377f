import type { Upcasters } from '../../kernel/upcasting.ts';
import type { DeviceEvent } from './device.events.ts';

/** Every event of a device is still in its first shape. */
export const deviceUpcasters: Upcasters<DeviceEvent> = {};
