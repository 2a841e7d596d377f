import type { DeviceEvent, DevicePresence, DeviceRegistered } from '../../src/events/device/device.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { never } from '../../src/kernel/never.ts';
import type {
  ChangeDeviceDirectory,
  ChangeDevicePushToken,
  ChangeDeviceVisibility,
  DeviceCommand,
  RegisterDevice,
  RemoveDevice,
  ReportDevice,
  SealedValue,
} from './devices.commands.ts';
import { evolveDevice } from './devices.evolve.ts';
import { CHANGES_WITHIN_MS, MOST_CHANGES, SEEN_EVERY_MS, type Device, type RegisteredDevice } from './devices.state.ts';

type Owner = Readonly<{ deviceId: string; userId: string; at: IsoTime }>;

const ownerOf = ({ deviceId, userId, at }: Owner): Owner => ({ deviceId, userId, at });

/** The caller's device. To strangers a device looks like one that does not exist. */
const mine = (device: Device, userId: string): RegisteredDevice => {
  if (device.status === 'registered' && device.userId === userId) return device;
  throw new DomainError('not_found', 'no such device is registered to this user');
};

const passed = (since: IsoTime, { at }: Owner): number => Date.parse(at) - Date.parse(since);

/** A device that says something else with every heartbeat must not fill the log. */
const isRestless = ({ changes }: RegisteredDevice, owner: Owner): boolean =>
  changes.count >= MOST_CHANGES && passed(changes.from, owner) < CHANGES_WITHIN_MS;

const refuseStranger = (device: RegisteredDevice, userId: string): void => {
  if (device.userId === userId) return;
  throw new DomainError('forbidden', 'this device is registered to another user; remove it there first');
};

const seen = (device: RegisteredDevice, owner: Owner, presence: DevicePresence): readonly DeviceEvent[] => {
  if (device.presence !== presence) {
    if (isRestless(device, owner)) return [];
    return [{ type: 'DeviceSeen', data: { ...owner, presence, before: device.presence } }];
  }
  return passed(device.seenAt, owner) < SEEN_EVERY_MS ? [] : [{ type: 'DeviceSeen', data: { ...owner, presence } }];
};

const moved = (owner: Owner, before: string | null, directory: SealedValue | null): readonly DeviceEvent[] => {
  const directoryDigest = directory?.digest ?? null;
  if (directoryDigest === before) return [];
  return [
    { type: 'DeviceDirectoryChanged', data: { ...owner, directory: directory?.sealed ?? null, directoryDigest } },
  ];
};

const factsOf = ({ directory: _, details, ...facts }: RegisterDevice['data']): DeviceRegistered['data'] => ({
  ...facts,
  details: details.sealed,
  detailsDigest: details.digest,
});

const isNews = (device: RegisteredDevice, { data }: RegisterDevice): boolean =>
  device.detailsDigest !== data.details.digest ||
  device.kind !== data.kind ||
  device.platform !== data.platform ||
  device.platformVersion !== data.platformVersion ||
  device.appVersion !== data.appVersion ||
  device.relayEligible !== data.relayEligible;

const register = (command: RegisterDevice, device: Device): readonly DeviceEvent[] => {
  const { data } = command;
  const owner = ownerOf(data);
  if (device.status !== 'registered') {
    const directory = data.directory === undefined ? [] : moved(owner, null, data.directory);
    return [{ type: 'DeviceRegistered', data: factsOf(data) }, ...directory];
  }
  refuseStranger(device, data.userId);
  // The app registers without a directory before it knows one; what it said earlier stays.
  const directory = data.directory === undefined ? [] : moved(owner, device.directoryDigest, data.directory);
  const facts: readonly DeviceEvent[] = isNews(device, command)
    ? [{ type: 'DeviceUpdated', data: factsOf(data) }]
    : seen(device, owner, data.presence);
  return [...facts, ...directory];
};

const report = ({ data }: ReportDevice, device: Device): readonly DeviceEvent[] =>
  seen(mine(device, data.userId), ownerOf(data), data.presence);

const changeDirectory = ({ data }: ChangeDeviceDirectory, device: Device): readonly DeviceEvent[] =>
  moved(ownerOf(data), mine(device, data.userId).directoryDigest, data.directory);

const changeVisibility = ({ data }: ChangeDeviceVisibility, device: Device): readonly DeviceEvent[] => {
  const { relayEligible, presence } = mine(device, data.userId);
  if (relayEligible === data.visible) return [];
  return [
    {
      type: 'DeviceVisibilityChanged',
      data: { ...ownerOf(data), relayEligible: data.visible, presence: data.visible ? presence : 'offline' },
    },
  ];
};

const changePushToken = ({ data }: ChangeDevicePushToken, device: Device): readonly DeviceEvent[] => {
  const { tokenHash, placeholder } = data;
  const owner = ownerOf(data);
  if (placeholder !== undefined) {
    if (device.status === 'registered') refuseStranger(device, data.userId);
    else {
      const { details, ...traits } = placeholder;
      const facts = { ...owner, ...traits, details: details.sealed, detailsDigest: details.digest };
      return [
        { type: 'DeviceRegistered', data: facts },
        { type: 'DevicePushTokenChanged', data: { ...owner, tokenHash, beforeHash: null } },
      ];
    }
  }
  const { pushTokenHash: beforeHash } = mine(device, data.userId);
  if (beforeHash === tokenHash) return [];
  return [{ type: 'DevicePushTokenChanged', data: { ...owner, tokenHash, beforeHash } }];
};

const remove = ({ data }: RemoveDevice, device: Device): readonly DeviceEvent[] => {
  mine(device, data.userId);
  return [{ type: 'DeviceRemoved', data: ownerOf(data) }];
};

const decide = (command: DeviceCommand, device: Device): readonly DeviceEvent[] => {
  switch (command.type) {
    case 'RegisterDevice':
      return register(command, device);
    case 'ReportDevice':
      return report(command, device);
    case 'ChangeDeviceDirectory':
      return changeDirectory(command, device);
    case 'ChangeDeviceVisibility':
      return changeVisibility(command, device);
    case 'ChangeDevicePushToken':
      return changePushToken(command, device);
    case 'RemoveDevice':
      return remove(command, device);
    default:
      return never(command);
  }
};

/** Decides whose a device is and what is known of it. */
export const deviceDecider: Decider<Device, DeviceCommand, DeviceEvent> = {
  initial: { status: 'none' },
  evolve: evolveDevice,
  decide,
};
