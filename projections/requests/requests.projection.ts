import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import type { EndedBy } from '../../src/kernel/usage.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { requestsTable } from './requests.table.ts';

type Event<T extends CreditAccountEvent['type']> = Extract<CreditAccountEvent, { type: T }>['data'];
type Status = 'completed' | 'failed' | 'cancelled';

/** What an end means to the request's user. An answer that the credit cut short is an answer. */
const STATUS_BY: Readonly<Record<EndedBy, Status>> = {
  provider: 'completed',
  credit: 'completed',
  client: 'cancelled',
  cancel: 'cancelled',
  shutdown: 'failed',
  sweeper: 'failed',
};

const statusOf = ({ endedBy, finish }: Event<'ReservationCaptured'>): Status =>
  finish === 'error' ? 'failed' : STATUS_BY[endedBy];

const change = (requestId: string, set: Row): readonly RowOp[] => [
  { op: 'set', table: requestsTable, key: { request_id: requestId }, set },
];

/** Whose request it is and how it stands, whichever instance ran it. */
export const requestsProjection = defineProjection<CreditAccountEvent>({
  name: 'requests',
  version: 1,
  tables: [requestsTable],
  streamPrefixes: creditAccountStreams,
  upcasters: creditAccountUpcasters,
  on: {
    FundsReserved: ({ stream, data: { reservationId, work, at } }) =>
      change(reservationId, {
        user_id: accountOwner(stream),
        provider: work.provider,
        status: 'active',
        created_at: at,
      }),
    ReservationCaptured: ({ data }) => {
      const isOpenAi = (data.servedBy ?? data.work).provider === 'openai';
      return change(data.reservationId, {
        status: statusOf(data),
        openai_response_id: isOpenAi ? data.upstreamId : null,
      });
    },
    ReservationReleased: ({ data: { reservationId, reason } }) =>
      change(reservationId, { status: reason === 'cancelled_before_start' ? 'cancelled' : 'failed' }),
    ReservationLeaseExpired: ({ data }) => change(data.reservationId, { status: 'failed' }),
  },
});
