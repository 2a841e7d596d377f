import { userFeedTable } from '../../projections/user-feed/user-feed.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/** One of a user's own events as clients get it. */
export type FeedEvent = Readonly<{
  position: bigint;
  type: string;
  stream: string;
  revision: string;
  at: string;
  data: unknown;
}>;

type Row = Readonly<{ position: bigint; type: string; stream: string; revision: bigint; at: string; data: unknown }>;

const present = (rows: readonly Row[]): readonly FeedEvent[] =>
  rows.map((row) => ({ ...row, revision: row.revision.toString(), at: new Date(row.at).toISOString() }));

/** The user's events after a position, oldest first, at most `limit`. */
export const feedAfter = (userId: string, after: bigint, limit: number): Query<Row, readonly FeedEvent[]> => ({
  statement: sql`
    select position, type, stream, revision, at, data from ${userFeedTable}
    where user_id = ${userId} and position > ${after} order by position limit ${limit}`,
  present,
});

/** The position of the user's newest event; 0 when there is none. */
export const feedEnd = (userId: string): Query<Readonly<{ position: bigint | null }>, bigint> => ({
  statement: sql`select max(position) as position from ${userFeedTable} where user_id = ${userId}`,
  present: (rows) => rows[0]?.position ?? 0n,
});

/** Which of these users have events after a position, and the newest position of each. */
export const usersWithNews = (
  userIds: readonly string[],
  after: bigint,
): Query<
  Readonly<{ user_id: string; position: bigint }>,
  readonly Readonly<{ userId: string; position: bigint }>[]
> => ({
  statement: sql`
    select user_id, max(position) as position from ${userFeedTable}
    where position > ${after} and user_id = any(${userIds}::uuid[]) group by user_id`,
  present: (rows) => rows.map(({ user_id, position }) => ({ userId: user_id, position })),
});
