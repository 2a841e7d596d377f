import type { RegisterDevice, SealedValue } from '../../commands/devices/devices.commands.ts';
import type { DevicePresence } from '../../src/events/device/device.events.ts';

export const ADA = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const GRACE = '9b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const DEVICE_ID = '6f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const T0 = '2026-01-01T00:00:00.000Z';

/** T0 plus some minutes. */
export const minutes = (count: number): string => new Date(Date.parse(T0) + count * 60_000).toISOString();

/** A value as if the vault had sealed it: equal texts have equal digests. */
export const secret = (text: string): SealedValue => ({
  sealed: { k: ADA, iv: 'aXY=', ct: Buffer.from(text).toString('base64'), tag: 'dGFn' },
  digest: `digest of ${text}`,
});

/** Ada's desktop, registering; `change` replaces members. */
export const register = (change: Partial<RegisterDevice['data']> = {}): RegisterDevice => ({
  type: 'RegisterDevice',
  key: 'register:1',
  data: {
    deviceId: DEVICE_ID,
    userId: ADA,
    kind: 'desktop',
    platform: 'macos',
    platformVersion: '15.1',
    appVersion: '1.0.0',
    relayEligible: true,
    presence: 'online',
    details: secret('Mac'),
    directory: undefined,
    at: T0,
    ...change,
  },
});

/** A sign of life some minutes after T0. */
export const report = (afterMinutes: number, presence: DevicePresence = 'online', userId = ADA) =>
  ({
    type: 'ReportDevice',
    key: `report:${afterMinutes}`,
    data: { deviceId: DEVICE_ID, userId, presence, at: minutes(afterMinutes) },
  }) as const;

/** Its owner, or somebody else, takes it off the list. */
export const remove = (userId = ADA, at = minutes(10)) =>
  ({ type: 'RemoveDevice', key: 'remove', data: { deviceId: DEVICE_ID, userId, at } }) as const;
