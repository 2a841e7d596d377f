import { devicePresenceTable } from '../../projections/device-presence/device-presence.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type Row = Readonly<{ presence: string; at: string }>;

/** From `at`, an ISO instant with six decimals, the device was this. */
export type PresenceChange = Readonly<{ presence: string; at: string }>;

const MOST = 500;

/** When did this device of the user come and go? The newest change comes first; of a month, as far as it is kept. */
export const devicePresenceHistory = (userId: string, deviceId: string): Query<Row, readonly PresenceChange[]> => ({
  statement: sql`
    select presence, at from ${devicePresenceTable}
    where user_id = ${userId} and device_id = ${deviceId}
    order by at desc, revision desc limit ${MOST}`,
  // A device that was only registered again was what it was.
  present: (rows) => rows.filter(({ presence }, index) => rows[index + 1]?.presence !== presence),
});
