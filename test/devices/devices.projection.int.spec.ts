import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { devicesTable } from '../../projections/devices/devices.table.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';
import { ADA, DEVICE_ID, GRACE, minutes, secret, T0 } from './fixtures.ts';

const stream = `device-${DEVICE_ID}`;

const stored = (minute: number): string => minutes(minute).replace('Z', '000Z');

const facts = (type: string, name: string, minute: number, change: object = {}): GivenEvent => ({
  stream,
  type,
  data: {
    deviceId: DEVICE_ID,
    userId: ADA,
    kind: 'desktop',
    platform: 'macos',
    platformVersion: null,
    appVersion: '1.0.0',
    relayEligible: true,
    presence: 'online',
    details: secret(name).sealed,
    detailsDigest: secret(name).digest,
    at: minutes(minute),
    ...change,
  },
  opened: {
    details: { name, localIps: [], publicIp: null, availablePorts: [], capabilities: { supportsTerminal: true } },
  },
});

const directory = (path: string | null, minute: number): GivenEvent => ({
  stream,
  type: 'DeviceDirectoryChanged',
  data: {
    deviceId: DEVICE_ID,
    userId: ADA,
    directory: path === null ? null : secret(path).sealed,
    directoryDigest: path,
    at: minutes(minute),
  },
  opened: { directory: path },
});

const said = (type: string, minute: number, more: object = {}): GivenEvent => ({
  stream,
  type,
  data: { deviceId: DEVICE_ID, userId: ADA, at: minutes(minute), ...more },
});

const row = {
  device_id: DEVICE_ID,
  user_id: ADA,
  kind: 'desktop',
  platform: 'macos',
  platform_version: null,
  app_version: '1.0.0',
  relay_eligible: true,
  presence: 'online',
  name: 'Mac',
  capabilities: { supportsTerminal: true },
  directory: null,
  push_token_hash: null,
  seen_at: T0.replace('Z', '000Z'),
  created_at: T0.replace('Z', '000Z'),
  updated_at: T0.replace('Z', '000Z'),
};

describe('devices projection', () => {
  it('lists a registered device with its open details', async () => {
    await givenProjection(devicesProjection)
      .events(facts('DeviceRegistered', 'Mac', 0))
      .thenRows(devicesTable, [row]);
  });

  it('follows everything that is said of it', async () => {
    await givenProjection(devicesProjection)
      .events(
        facts('DeviceRegistered', 'Mac', 0),
        directory('/work', 1),
        said('DevicePushTokenChanged', 1, { tokenHash: 'hash', beforeHash: null }),
        said('DeviceSeen', 2, { presence: 'away' }),
        facts('DeviceUpdated', 'Mac Pro', 3, { appVersion: '1.0.1', platformVersion: '15.1' }),
        said('DeviceVisibilityChanged', 4, { relayEligible: false, presence: 'offline' }),
      )
      .thenRows(devicesTable, [
        {
          ...row,
          name: 'Mac Pro',
          app_version: '1.0.1',
          platform_version: '15.1',
          directory: '/work',
          push_token_hash: 'hash',
          relay_eligible: false,
          presence: 'offline',
          seen_at: stored(3),
          updated_at: stored(4),
        },
      ]);
  });

  it('forgets a removed device, and nothing of the last owner is left for the next', async () => {
    const first = givenProjection(devicesProjection).events(
      facts('DeviceRegistered', 'Mac', 0),
      directory('/ada', 1),
      said('DevicePushTokenChanged', 1, { tokenHash: 'hash', beforeHash: null }),
      said('DeviceRemoved', 2),
    );
    await first.thenRows(devicesTable, []);
    await first.events(facts('DeviceRegistered', 'Now hers', 3, { userId: GRACE })).thenRows(devicesTable, [
      {
        ...row,
        user_id: GRACE,
        name: 'Now hers',
        seen_at: stored(3),
        created_at: stored(3),
        updated_at: stored(3),
      },
    ]);
  });

  it('keeps the row and loses what is personal when the key is gone', async () => {
    const unreadable = { ...facts('DeviceRegistered', 'Mac', 0), opened: {} };
    await givenProjection(devicesProjection)
      .events(unreadable, { ...directory('/work', 0), opened: {} })
      .thenRows(devicesTable, [{ ...row, name: null, capabilities: null }]);
  });
});
