import type { DeviceEvent } from '../../src/events/device/device.events.ts';
import { never } from '../../src/kernel/never.ts';
import { CHANGES_WITHIN_MS, type Device, type RegisteredDevice } from './devices.state.ts';

type Seen = Extract<DeviceEvent, { type: 'DeviceSeen' }>['data'];

const changesAfter = ({ changes }: RegisteredDevice, { before, at }: Seen): RegisteredDevice['changes'] => {
  if (before === undefined) return changes;
  const over = Date.parse(at) - Date.parse(changes.from) >= CHANGES_WITHIN_MS;
  return over ? { from: at, count: 1 } : { from: changes.from, count: changes.count + 1 };
};

const evolveRegistered = (device: RegisteredDevice, event: DeviceEvent): Device => {
  switch (event.type) {
    case 'DeviceRegistered':
      return device;
    case 'DeviceUpdated': {
      const { kind, platform, platformVersion, appVersion, relayEligible, presence, detailsDigest, at } = event.data;
      const facts = { kind, platform, platformVersion, appVersion, relayEligible, presence, detailsDigest };
      return { ...device, ...facts, seenAt: at };
    }
    case 'DeviceDirectoryChanged':
      return { ...device, directoryDigest: event.data.directoryDigest };
    case 'DeviceVisibilityChanged': {
      const { relayEligible, presence } = event.data;
      return { ...device, relayEligible, presence };
    }
    case 'DeviceSeen': {
      const { presence, at } = event.data;
      return { ...device, presence, seenAt: at, changes: changesAfter(device, event.data) };
    }
    case 'DevicePushTokenChanged':
      return { ...device, pushTokenHash: event.data.tokenHash };
    case 'DeviceRemoved':
      return { status: 'removed', pushTokenHash: device.pushTokenHash };
    default:
      return never(event);
  }
};

/** The device after an event. */
export const evolveDevice = (device: Device, event: DeviceEvent): Device => {
  if (device.status === 'registered') return evolveRegistered(device, event);
  if (event.type !== 'DeviceRegistered') return device;
  const { userId, kind, platform, platformVersion, appVersion, relayEligible, presence, detailsDigest, at } =
    event.data;
  const facts = { userId, kind, platform, platformVersion, appVersion, relayEligible, presence, detailsDigest };
  const nothingYet = { directoryDigest: null, pushTokenHash: null, changes: { from: at, count: 0 } };
  return { status: 'registered', ...facts, ...nothingYet, since: at, seenAt: at };
};
