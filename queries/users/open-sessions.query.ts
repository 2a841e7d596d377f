import { sessionsTable } from '../../projections/sessions/sessions.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type OpenRow = Readonly<{ session_id: string; device_id: string | null; expires_at: IsoTime }>;

/** A session that can be ended. */
export type OpenSessionView = Readonly<{ sessionId: string; deviceId: string | null; expiresAt: IsoTime }>;

/** A user's sessions that are alive at `now`, for whoever has to end them all or those of one device. */
export const openSessions = (userId: string, now: IsoTime): Query<OpenRow, readonly OpenSessionView[]> => ({
  statement: sql`
    select session_id, device_id, expires_at from ${sessionsTable}
    where user_id = ${userId}::uuid and ended_at is null and expires_at > ${now}::timestamptz
    order by session_id`,
  present: (rows) =>
    rows.map((row) => ({ sessionId: row.session_id, deviceId: row.device_id, expiresAt: row.expires_at })),
});
