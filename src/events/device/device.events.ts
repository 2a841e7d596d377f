import type { Event, IsoTime } from '../../kernel/message.ts';
import type { Sealed } from '../../kernel/vault.ts';

export type DeviceKind = 'desktop' | 'mobile';

/** What a device says of itself; whether it can be reached is known by the relay alone. */
export type DevicePresence = 'online' | 'offline' | 'away';

/** The personal part of a device, as it is sealed in `details`. */
export type DeviceDetails = Readonly<{
  name: string;
  localIps: readonly string[];
  publicIp: string | null;
  availablePorts: readonly number[];
  /** Without the active project directory, which changes on its own. */
  capabilities: Readonly<Record<string, unknown>>;
}>;

/** What a device says of itself that is not personal. */
export type DeviceTraits = Readonly<{
  kind: DeviceKind;
  platform: string;
  platformVersion: string | null;
  appVersion: string;
  relayEligible: boolean;
  presence: DevicePresence;
}>;

type Facts = DeviceTraits &
  Readonly<{
    deviceId: string;
    userId: string;
    /** DeviceDetails under the owner's key. */
    details: Sealed;
    /** Tells equal details equal without reading them. */
    detailsDigest: string;
    at: IsoTime;
  }>;

type OfOwner<D> = D & Readonly<{ deviceId: string; userId: string; at: IsoTime }>;

/** The device belongs to this user from now on, until it is removed. */
export type DeviceRegistered = Event<'DeviceRegistered', Facts>;

/** The owner registered it again and something about it is new. */
type DeviceUpdated = Event<'DeviceUpdated', Facts>;

/** The project directory that is open on it, a path, sealed; null when none is. */
type DeviceDirectoryChanged = Event<
  'DeviceDirectoryChanged',
  OfOwner<Readonly<{ directory: Sealed | null; directoryDigest: string | null }>>
>;

/** The owner shows it to, or hides it from, the other devices. */
type DeviceVisibilityChanged = Event<
  'DeviceVisibilityChanged',
  OfOwner<Readonly<{ relayEligible: boolean; presence: DevicePresence }>>
>;

/** It gave a sign of life: its presence changed, or a while has passed since the last one that was written down. */
type DeviceSeen = Event<
  'DeviceSeen',
  OfOwner<
    Readonly<{
      presence: DevicePresence;
      /** What it was until now; absent when nothing has changed but the time. */
      before?: DevicePresence;
    }>
  >
>;

/** Notifications reach it by another push token from now on, or by none (null). The token itself has its own stream. */
type DevicePushTokenChanged = Event<
  'DevicePushTokenChanged',
  OfOwner<
    Readonly<{
      /** The keyed hash that names the token's stream. */
      tokenHash: string | null;
      /** The one that it had until now. */
      beforeHash: string | null;
    }>
  >
>;

/** It belongs to nobody now; anybody may register it again. */
type DeviceRemoved = Event<'DeviceRemoved', OfOwner<unknown>>;

export type DeviceEvent =
  | DeviceRegistered
  | DeviceUpdated
  | DeviceDirectoryChanged
  | DeviceVisibilityChanged
  | DeviceSeen
  | DevicePushTokenChanged
  | DeviceRemoved;

/** Streams are `device-<deviceId>`, the id in lowercase. */
export const DEVICE = 'device';
