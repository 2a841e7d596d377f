import { z } from 'zod';
import { noticesIn } from '../../../../queries/billing/payment-notices.query.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { adminEndpoint, empty, json, publicEndpoint, type Endpoint } from '../../endpoint.ts';
import type { PaymentDeps } from './deps.ts';

const MOST_BYTES = 1024 * 1024;

/**
 * Takes the payment provider's notices. The signature is the gate; 200 says that the notice is safe, and nothing about
 * the work on it. A store that is away is a 503: the provider sends it again.
 */
export const receiveNotice = ({ desk, readNotice, livemode, clock }: PaymentDeps): Endpoint =>
  publicEndpoint({
    method: 'POST',
    path: '/webhooks/stripe',
    limit: 'webhook',
    rawBody: true,
    maxBodyBytes: MOST_BYTES,
    handle: async ({ body, header }) => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
      const notice = readNotice(bytes, header('stripe-signature') ?? '', clock());
      if (notice === undefined) throw new DomainError('bad_request', 'the signature of this notice is not right');
      if (notice.livemode !== livemode) {
        throw new DomainError('bad_request', `this server takes ${livemode ? 'live' : 'test'} notices only`);
      }
      await desk.receive(notice);
      return empty(200);
    },
  });

const query = z.object({
  status: z.enum(['parked', 'waiting', 'applied', 'ignored']).default('parked'),
});
const MOST = 200;

/** The notices in a state, for administrators. */
export const listNotices = ({ queries }: PaymentDeps): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/webhooks',
    limit: 'read',
    query,
    handle: async ({ query: { status } }) => json(200, { webhooks: await queries.asSystem(noticesIn(status, MOST)) }),
  });

/** Has a notice worked on again. */
export const replayNotice = ({ desk }: PaymentDeps): Endpoint =>
  adminEndpoint({
    method: 'POST',
    path: '/api/admin/webhooks/:noticeId/replay',
    limit: 'write',
    params: z.object({ noticeId: z.string().regex(/^evt_[A-Za-z0-9]{1,200}$/, 'must be the id of a notice') }),
    handle: async ({ params: { noticeId = '' }, cause }) => {
      await desk.replay(noticeId, cause);
      return json(202, { noticeId, status: 'waiting' });
    },
  });
