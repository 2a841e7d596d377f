import type { DeviceEvent } from '../../src/events/device/device.events.ts';
import { never } from '../../src/kernel/never.ts';
import type { Device, RegisteredDevice } from './devices.state.ts';

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
    case 'DeviceSeen':
      return { ...device, presence: event.data.presence, seenAt: event.data.at };
    case 'DeviceRemoved':
      return { status: 'removed' };
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
  return { status: 'registered', ...facts, directoryDigest: null, since: at, seenAt: at };
};
