import { requestsTable } from '../../projections/requests/requests.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type RequestRow = Readonly<{
  user_id: string;
  provider: string;
  status: string;
  openai_response_id: string | null;
  created_at: IsoTime;
}>;

/** How a request stands, and whose it is. */
export type RequestView = Readonly<{
  userId: string;
  provider: string;
  status: 'active' | 'completed' | 'failed' | 'cancelled';
  openaiResponseId: string | null;
  /** With milliseconds. */
  createdAt: IsoTime;
}>;

/** How does this request stand, whoever's it is? Undefined when nobody has heard of it. For the system role. */
export const requestById = (requestId: string): Query<RequestRow, RequestView | undefined> => ({
  statement: sql`
    select user_id, provider, status, openai_response_id, created_at
    from ${requestsTable} where request_id = ${requestId}`,
  present: ([row]) =>
    row === undefined
      ? undefined
      : {
          userId: row.user_id,
          provider: row.provider,
          status: row.status as RequestView['status'],
          openaiResponseId: row.openai_response_id,
          createdAt: new Date(row.created_at).toISOString(),
        },
});
