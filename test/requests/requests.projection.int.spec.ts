import { requestsProjection } from '../../projections/requests/requests.projection.ts';
import { requestsTable } from '../../projections/requests/requests.table.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { ada } from '../support/given-http.ts';
import { givenProjection } from '../support/given-projection.ts';

const stream = `creditAccount-${ada.userId}`;
const after = { paid: '0', promo: '0', held: '0', shortfall: '0' };
const at = '2026-11-23T10:00:00.000Z';
const work = {
  kind: 'chat',
  taskType: 'general',
  modelId: 'openai/gpt-5',
  provider: 'openai',
  priceVersion: '1',
  streamed: true,
} as const;

const event = <T extends CreditAccountEvent['type']>(
  type: T,
  data: Partial<Extract<CreditAccountEvent, { type: T }>['data']>,
) => ({ stream, type, data: { at, after, ...data } });

const reserved = (reservationId: string) =>
  event('FundsReserved', { reservationId, work, estimate: '1', margin: '1', held: '2', alloc: [], leaseUntil: at });

const captured = (reservationId: string, over: object) =>
  event('ReservationCaptured', { reservationId, work, finish: 'stop', upstreamId: 'resp_1', ...over });

const row = (request_id: string, status: string, openai_response_id: string | null = null) => ({
  request_id,
  user_id: ada.userId,
  provider: 'openai',
  status,
  openai_response_id,
  created_at: '2026-11-23T10:00:00.000000Z',
});

describe('the read model of requests', function () {
  this.timeout(60_000);

  it('tells whose each is and how it ended', async () => {
    await givenProjection(requestsProjection)
      .events(
        ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(reserved),
        captured('a', { endedBy: 'provider' }),
        captured('b', { endedBy: 'credit', finish: 'length' }),
        captured('c', { endedBy: 'client', finish: null }),
        captured('d', { endedBy: 'provider', finish: 'error' }),
        captured('e', {
          endedBy: 'cancel',
          servedBy: { provider: 'openrouter', model: 'x', onDisconnect: 'count', failed: [] },
        }),
        event('ReservationReleased', { reservationId: 'f', reason: 'cancelled_before_start', released: [] }),
        event('ReservationReleased', { reservationId: 'g', reason: 'provider_failed', released: [] }),
      )
      .thenRows(requestsTable, [
        row('a', 'completed', 'resp_1'),
        row('b', 'completed', 'resp_1'),
        row('c', 'cancelled', 'resp_1'),
        row('d', 'failed', 'resp_1'),
        row('e', 'cancelled'),
        row('f', 'cancelled'),
        row('g', 'failed'),
        row('h', 'active'),
      ]);
  });

  it('believes a charge that comes after its lease has expired', async () => {
    const expired = event('ReservationLeaseExpired', { reservationId: 'a', released: [], lastSeenAt: at });
    const given = givenProjection(requestsProjection).events(reserved('a'), expired);
    await given.thenRows(requestsTable, [row('a', 'failed')]);
    await given
      .events(captured('a', { endedBy: 'provider', late: true }))
      .thenRows(requestsTable, [row('a', 'completed', 'resp_1')]);
  });
});
