import { erasureTable } from '../../projections/erasures/erasures.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type ErasureRow = Readonly<{
  user_id: string;
  status: string;
  step: string;
  requested_at: IsoTime | null;
  updated_at: IsoTime;
  completed_at: IsoTime | null;
  certificate: string | null;
}>;

/** An erasure as operators see it. `certificate` is the id of the event that says that it is complete. */
export type ErasureView = Readonly<{
  userId: string;
  status: string;
  step: string;
  requestedAt: IsoTime | null;
  updatedAt: IsoTime;
  completedAt: IsoTime | null;
  certificate: string | null;
}>;

const view = (row: ErasureRow): ErasureView => ({
  userId: row.user_id,
  status: row.status,
  step: row.step,
  requestedAt: row.requested_at,
  updatedAt: row.updated_at,
  completedAt: row.completed_at,
  certificate: row.certificate,
});

type UserRow = Readonly<{ user_id: string }>;
const userIds = (rows: readonly UserRow[]): readonly string[] => rows.map(({ user_id }) => user_id);

/** Which users' erasures have not come as far as `step`? Those first that were touched longest ago. For the system role. */
export const erasuresBefore = (step: string, limit: number): Query<UserRow, readonly string[]> => ({
  statement: sql`
    select user_id from ${erasureTable} where status = 'running' and step not in (${step}, 'CustomerForgotten')
    order by updated_at, user_id limit ${limit}`,
  present: userIds,
});

/**
 * Which users' erasures have come as far as `step` and are not complete? In no order: one that cannot go on must not keep
 * the others. For the system role.
 */
export const erasuresAfter = (step: string, limit: number): Query<UserRow, readonly string[]> => ({
  statement: sql`
    select user_id from ${erasureTable} where status = 'running' and step in (${step}, 'CustomerForgotten')
    order by random() limit ${limit}`,
  present: userIds,
});

/** The latest erasures, newest first, at most `limit`. For the system role. */
export const latestErasures = (limit: number): Query<ErasureRow, readonly ErasureView[]> => ({
  statement: sql`select * from ${erasureTable} order by updated_at desc, user_id limit ${limit}`,
  present: (rows) => rows.map(view),
});
