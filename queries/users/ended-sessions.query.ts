import { sessionsTable } from '../../projections/sessions/sessions.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type EndedRow = Readonly<{ session_id: string; expires_at: IsoTime }>;

/** A session that ended before its time; no token of it outlives `until`. */
export type EndedSessionView = Readonly<{ sessionId: string; until: IsoTime }>;

/** The sessions that have ended while tokens of theirs may still be about at `now`. For the system role. */
export const endedSessions = (now: IsoTime): Query<EndedRow, readonly EndedSessionView[]> => ({
  statement: sql`
    select session_id, expires_at from ${sessionsTable}
    where ended_at is not null and expires_at > ${now}::timestamptz`,
  present: (rows) => rows.map((row) => ({ sessionId: row.session_id, until: row.expires_at })),
});
