import type { DevicePresence, DeviceTraits } from '../../src/events/device/device.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

/** A personal value as it goes into the log, and what tells it equal to an earlier one. */
export type SealedValue = Readonly<{ sealed: Sealed; digest: string }>;

type ByOwner<D> = D & Readonly<{ deviceId: string; userId: string; at: IsoTime }>;

/** Makes the device this user's, or brings up to date what is known of it; forbidden while it is somebody else's. */
export type RegisterDevice = Command<
  'RegisterDevice',
  ByOwner<
    DeviceTraits &
      Readonly<{
        details: SealedValue;
        /** Undefined: not told, so the last one stays. */
        directory: SealedValue | undefined;
      }>
  >
>;

/** A sign of life; most say nothing new. */
export type ReportDevice = Command<'ReportDevice', ByOwner<Readonly<{ presence: DevicePresence }>>>;

/** Another project directory is open on the device, or none (null). */
export type ChangeDeviceDirectory = Command<
  'ChangeDeviceDirectory',
  ByOwner<Readonly<{ directory: SealedValue | null }>>
>;

/** Shows the device to the user's other devices, or hides it. */
export type ChangeDeviceVisibility = Command<'ChangeDeviceVisibility', ByOwner<Readonly<{ visible: boolean }>>>;

/**
 * The device is reached by another push token, or by none (null). A device that nobody has is registered with the facts
 * of `placeholder`, if there are any; a stranger's is refused as forbidden then, and looks like none otherwise.
 */
export type ChangeDevicePushToken = Command<
  'ChangeDevicePushToken',
  ByOwner<
    Readonly<{
      tokenHash: string | null;
      placeholder: (DeviceTraits & Readonly<{ details: SealedValue }>) | undefined;
    }>
  >
>;

/** Takes the device off the user's list. */
export type RemoveDevice = Command<'RemoveDevice', ByOwner<unknown>>;

export type DeviceCommand =
  RegisterDevice | ReportDevice | ChangeDeviceDirectory | ChangeDeviceVisibility | ChangeDevicePushToken | RemoveDevice;
