import { auditTable } from '../../projections/audit/audit.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type AuditRow = Readonly<{
  event_id: string;
  position: bigint;
  stream: string;
  revision: bigint;
  type: string;
  action: string;
  user_id: string | null;
  actor_kind: string;
  actor_id: string;
  occurred_at: string;
  recorded_at: string;
  request_id: string | null;
  correlation_id: string;
  hash: string;
}>;

/** One event of the audit trail. Numbers are decimal digits, times ISO text. */
export type AuditEntry = Readonly<{
  eventId: string;
  position: string;
  stream: string;
  revision: string;
  type: string;
  action: string;
  userId: string | null;
  actor: Readonly<{ kind: string; id: string }>;
  occurredAt: string;
  recordedAt: string;
  requestId: string | null;
  correlationId: string;
  hash: string;
}>;

/** Which entries: those before a position (exclusive), about a user, of an action; at most `limit`. */
export type AuditFilter = Readonly<{ before?: bigint; userId?: string; action?: string; limit: number }>;

const entryOf = (row: AuditRow): AuditEntry => ({
  eventId: row.event_id,
  position: row.position.toString(),
  stream: row.stream,
  revision: row.revision.toString(),
  type: row.type,
  action: row.action,
  userId: row.user_id,
  actor: { kind: row.actor_kind, id: row.actor_id },
  occurredAt: row.occurred_at,
  recordedAt: row.recorded_at,
  requestId: row.request_id,
  correlationId: row.correlation_id,
  hash: row.hash,
});

/** The audit trail, newest first. */
export const auditEntries = (filter: AuditFilter): Query<AuditRow, readonly AuditEntry[]> => ({
  statement: sql`
    select * from ${auditTable}
    where (${filter.before ?? null}::bigint is null or position < ${filter.before ?? null}::bigint)
      and (${filter.userId ?? null}::uuid is null or user_id = ${filter.userId ?? null}::uuid)
      and (${filter.action ?? null}::text is null or action = ${filter.action ?? null}::text)
    order by position desc limit ${filter.limit}`,
  present: (rows) => rows.map(entryOf),
});
