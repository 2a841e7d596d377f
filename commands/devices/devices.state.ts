import type { DeviceTraits } from '../../src/events/device/device.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';

/** A device that has an owner. */
export type RegisteredDevice = DeviceTraits &
  Readonly<{
    status: 'registered';
    userId: string;
    detailsDigest: string;
    directoryDigest: string | null;
    /** Since when it is this owner's. */
    since: IsoTime;
    /** The last sign of life that was written down. */
    seenAt: IsoTime;
  }>;

export type Device = Readonly<{ status: 'none' }> | RegisteredDevice | Readonly<{ status: 'removed' }>;

/** Signs of life nearer to each other than this are one, as long as they say the same. */
export const SEEN_EVERY_MS = 5 * 60 * 1000;
