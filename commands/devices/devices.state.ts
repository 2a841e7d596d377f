import type { DeviceTraits } from '../../src/events/device/device.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';

/** A device that has an owner. */
export type RegisteredDevice = DeviceTraits &
  Readonly<{
    status: 'registered';
    userId: string;
    detailsDigest: string;
    directoryDigest: string | null;
    /** The keyed hash of its push token; null: it has none. */
    pushTokenHash: string | null;
    /** Changes of presence in the stretch of time that began at `from`. */
    changes: Readonly<{ from: IsoTime; count: number }>;
    /** Since when it is this owner's. */
    since: IsoTime;
    /** The last sign of life that was written down. */
    seenAt: IsoTime;
  }>;

/** Nobody's. The token that it had is to be released. */
export type RemovedDevice = Readonly<{ status: 'removed'; pushTokenHash: string | null }>;

export type Device = Readonly<{ status: 'none' }> | RegisteredDevice | RemovedDevice;

/** Signs of life nearer to each other than this are one, as long as they say the same. */
export const SEEN_EVERY_MS = 5 * 60 * 1000;

/** A device that changes its mind more often than this is not written down until the stretch of time is over. */
export const MOST_CHANGES = 20;
export const CHANGES_WITHIN_MS = 10 * 60 * 1000;
