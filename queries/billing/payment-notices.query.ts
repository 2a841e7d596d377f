import { paymentNoticeTable } from '../../projections/payment-notices/payment-notices.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type NoticeRow = Readonly<{
  notice_id: string;
  type: string;
  object_id: string;
  status: string;
  attempts: number;
  code: string | null;
  next_attempt_at: string | null;
  received_at: string;
}>;

export type NoticeView = Readonly<{
  noticeId: string;
  type: string;
  objectId: string;
  status: string;
  attempts: number;
  code: string | null;
  nextAttemptAt: string | null;
  receivedAt: string;
}>;

/** Which notices wait to be worked on at `now`? */
export const dueNotices = (now: string, limit: number): Query<Pick<NoticeRow, 'notice_id'>, readonly string[]> => ({
  statement: sql`
    select notice_id from ${paymentNoticeTable}
    where status = 'waiting' and next_attempt_at <= ${now} order by next_attempt_at limit ${limit}`,
  present: (rows) => rows.map((row) => row.notice_id),
});

/** Which notices are in this state, newest first? */
export const noticesIn = (status: string, limit: number): Query<NoticeRow, readonly NoticeView[]> => ({
  statement: sql`
    select * from ${paymentNoticeTable} where status = ${status} order by received_at desc limit ${limit}`,
  present: (rows) =>
    rows.map((row) => ({
      noticeId: row.notice_id,
      type: row.type,
      objectId: row.object_id,
      status: row.status,
      attempts: row.attempts,
      code: row.code,
      nextAttemptAt: row.next_attempt_at,
      receivedAt: row.received_at,
    })),
});
