import { defineProjection } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { SESSION, type SessionEvent } from '../../src/events/session/session.events.ts';
import { sessionUpcasters } from '../../src/events/session/session.upcasters.ts';
import { sessionsTable } from './sessions.table.ts';

type About = Readonly<{ sessionId: string; userId: string; expiresAt: string }>;

const change = ({ sessionId, userId, expiresAt }: About, set: Row) => [
  {
    op: 'set',
    table: sessionsTable,
    key: { session_id: sessionId },
    set: { user_id: userId, expires_at: expiresAt, ...set },
  } as const,
];

/** One row a session, also after its end: the list of ended sessions is loaded from here. */
export const sessionsProjection = defineProjection<SessionEvent>({
  name: 'sessions',
  version: 1,
  tables: [sessionsTable],
  streamPrefixes: [`${SESSION}-`],
  upcasters: sessionUpcasters,
  on: {
    SignedIn: ({ data }) => change(data, { device_id: data.deviceId, started_at: data.at, seen_at: data.at }),
    SessionRefreshed: ({ data }) => change(data, { device_id: data.deviceId, seen_at: data.at }),
    SignedOut: ({ data }) => change(data, { ended_at: data.at, end_reason: 'signed_out' }),
    SessionRevoked: ({ data }) => change(data, { ended_at: data.at, end_reason: data.reason }),
  },
});
