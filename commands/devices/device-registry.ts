import {
  DEVICE,
  type DeviceDetails,
  type DeviceEvent,
  type DevicePresence,
  type DeviceTraits,
} from '../../src/events/device/device.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import type { DeviceCommand, SealedValue } from './devices.commands.ts';
import type { Device, RegisteredDevice } from './devices.state.ts';

/** What a device tells about itself when it registers. */
export type DeviceProfile = DeviceTraits &
  Readonly<{
    details: DeviceDetails;
    /** The open project directory; undefined when the device did not say. */
    directory: string | undefined;
  }>;

/** A device and the user who acts on it. Ids in lowercase. */
export type Whose = Readonly<{ deviceId: string; userId: string }>;

/** The write side of devices. All but `register` refuse with not_found what is not this user's. */
export type DeviceRegistry = Readonly<{
  /** Refused with forbidden while the device is another user's. */
  register: (whose: Whose, profile: DeviceProfile, cause: Cause) => Promise<RegisteredDevice>;
  /** A sign of life. Cheap: it is written down only when it is news. */
  report: (whose: Whose, presence: DevicePresence, cause: Cause) => Promise<void>;
  /** Null when no project is open. */
  changeDirectory: (whose: Whose, directory: string | null, cause: Cause) => Promise<void>;
  changeVisibility: (whose: Whose, visible: boolean, cause: Cause) => Promise<void>;
  /**
   * The hash of its new push token, or null for none. `placeholder` makes a device of what nobody has yet; a stranger's is
   * forbidden then. Resolves with whether that is news, the hash of the token that it had, when that is another one, and its
   * platform.
   */
  changePushToken: (
    whose: Whose,
    tokenHash: string | null,
    placeholder: Omit<DeviceProfile, 'directory'> | undefined,
    cause: Cause,
  ) => Promise<Readonly<{ isNews: boolean; before: string | null; platform: string }>>;
  /** Whose a device is, and the hash of its push token; undefined while it is nobody's. */
  holder: (deviceId: string) => Promise<Readonly<{ userId: string; pushTokenHash: string | null }> | undefined>;
  /** Resolves with the hash of the push token that it had. */
  remove: (whose: Whose, cause: Cause) => Promise<string | null>;
}>;

type Deps = Readonly<{
  handler: CommandHandler<Device, DeviceCommand, DeviceEvent>;
  vault: Pick<SubjectVault, 'seal' | 'digest'>;
}>;

/** Seals what is personal and hands the commands on. */
export const deviceRegistry = ({ handler, vault }: Deps): DeviceRegistry => {
  const sealed = async ({ userId, deviceId }: Whose, value: unknown): Promise<SealedValue> => {
    const [secret, digest] = await Promise.all([
      vault.seal(userId, streamOf({ category: DEVICE }, deviceId), value),
      vault.digest(userId, value),
    ]);
    return { sealed: secret, digest };
  };
  // A device may say the same thing twice for good reasons: each saying is a command of its own.
  const keyOf = (verb: string, cause: Cause): string => `${verb}:${cause.causationId}:${cause.at}`;

  return {
    register: async (whose, { details, directory, ...facts }, cause) => {
      const data = {
        ...whose,
        ...facts,
        details: await sealed(whose, details),
        directory: directory === undefined ? undefined : await sealed(whose, directory),
        at: cause.at,
      };
      const { state } = await handler.handle(
        whose.deviceId,
        { type: 'RegisterDevice', key: keyOf('register', cause), data },
        cause,
      );
      if (state.status !== 'registered') throw new Error('a registration left the device without an owner');
      return state;
    },
    report: async (whose, presence, cause) => {
      const data = { ...whose, presence, at: cause.at };
      await handler.handle(whose.deviceId, { type: 'ReportDevice', key: keyOf('report', cause), data }, cause);
    },
    changeDirectory: async (whose, directory, cause) => {
      const value = directory === null ? null : await sealed(whose, directory);
      const data = { ...whose, directory: value, at: cause.at };
      await handler.handle(
        whose.deviceId,
        { type: 'ChangeDeviceDirectory', key: keyOf('directory', cause), data },
        cause,
      );
    },
    changeVisibility: async (whose, visible, cause) => {
      const data = { ...whose, visible, at: cause.at };
      await handler.handle(
        whose.deviceId,
        { type: 'ChangeDeviceVisibility', key: keyOf('visibility', cause), data },
        cause,
      );
    },
    changePushToken: async (whose, tokenHash, profile, cause) => {
      const placeholder =
        profile === undefined ? undefined : { ...profile, details: await sealed(whose, profile.details) };
      const data = { ...whose, tokenHash, placeholder, at: cause.at };
      const { events, state } = await handler.handle(
        whose.deviceId,
        { type: 'ChangeDevicePushToken', key: keyOf('push-token', cause), data },
        cause,
      );
      if (state.status !== 'registered') throw new Error('a push token was given to a device without an owner');
      const changed = events.find((event) => event.type === 'DevicePushTokenChanged');
      return { isNews: changed !== undefined, before: changed?.data.beforeHash ?? null, platform: state.platform };
    },
    holder: async (deviceId) => {
      const state = await handler.state(deviceId);
      return state.status === 'registered' ? state : undefined;
    },
    remove: async (whose, cause) => {
      const data = { ...whose, at: cause.at };
      const { state } = await handler.handle(
        whose.deviceId,
        { type: 'RemoveDevice', key: keyOf('remove', cause), data },
        cause,
      );
      return state.status === 'removed' ? state.pushTokenHash : null;
    },
  };
};
