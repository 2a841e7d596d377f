import { devicesTable } from '../../projections/devices/devices.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type DeviceRow = Readonly<{
  device_id: string;
  kind: string;
  platform: string;
  platform_version: string | null;
  app_version: string;
  name: string;
  capabilities: Readonly<Record<string, unknown>> | null;
  directory: string | null;
  seen_at: string;
  created_at: string;
  updated_at: string;
}>;

/** A desktop of the user, as the apps list it. Instants are ISO with six decimals. */
export type ListedDevice = Readonly<{
  deviceId: string;
  name: string;
  kind: string;
  platform: string;
  platformVersion: string | null;
  appVersion: string;
  capabilities: Readonly<Record<string, unknown>>;
  seenAt: string;
  createdAt: string;
  updatedAt: string;
}>;

/** Nobody has this many desktops; a listing stays a listing whatever a client does. */
const MOST = 200;

const view = (row: DeviceRow): ListedDevice => ({
  deviceId: row.device_id,
  name: row.name,
  kind: row.kind,
  platform: row.platform,
  platformVersion: row.platform_version,
  appVersion: row.app_version,
  capabilities: {
    ...row.capabilities,
    ...(row.directory === null ? {} : { activeProjectDirectory: row.directory }),
  },
  seenAt: row.seen_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** Which desktops does this user have? The one seen last comes first; phones are never listed. */
export const listDevices = (userId: string): Query<DeviceRow, readonly ListedDevice[]> => ({
  statement: sql`
    select device_id, kind, platform, platform_version, app_version, name, capabilities, directory,
           seen_at, created_at, updated_at
    from ${devicesTable}
    where user_id = ${userId} and kind = 'desktop' and name is not null
    order by seen_at desc, device_id
    limit ${MOST}`,
  present: (rows) => rows.map(view),
});
