import { z } from 'zod';
import { totalsOf } from '../../../../commands/credits/credits.lots.ts';
import { adjustments, type AdjustmentEntry } from '../../../../queries/billing/adjustments.query.ts';
import { microOf, usdText } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';
import { accountOf, type Accounts } from './adjust-credits.ts';
import { userId } from './money-bodies.ts';
import { limitOf, offsetOf } from './paging.ts';

const query = z.object({
  status: z.enum(['waiting', 'done', 'rejected']).optional(),
  limit: limitOf(50),
  offset: offsetOf,
});

const body = z.object({ user_id: userId });

const presented = ({ amount, ...entry }: AdjustmentEntry) => ({ ...entry, amount: usdText(amount) });

/** The adjustments, newest first; with `status=waiting` those that need a second administrator. */
export const listAdjustments = ({ queries }: Readonly<{ queries: Pick<QueryRunner, 'asSystem'> }>): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/billing/credits/admin/adjustments',
    limit: 'read',
    query,
    handle: async ({ query: { status, limit, offset } }) => {
      const page = await queries.asSystem(adjustments(status ?? null, { limit, offset }));
      return json(200, { adjustments: page.entries.map(presented), totalCount: page.total, hasMore: page.hasMore });
    },
  });

/** The second administrator's yes (`approve`) or anybody's no (`reject`). */
const decision = (accounts: Accounts, word: 'approve' | 'reject'): Endpoint =>
  adminEndpoint({
    method: 'POST',
    path: `/api/billing/credits/admin/adjustments/:id/${word}`,
    limit: 'write',
    params: uuidParams('id'),
    body,
    handle: async ({ body: { user_id: user }, params, cause }, { userId: by }) => {
      const adjustmentId = params['id'] ?? '';
      await accountOf(accounts, user);
      const type = word === 'approve' ? 'ApproveAdjustment' : 'RejectAdjustment';
      const data = { adjustmentId, by, at: cause.at };
      const { state } = await accounts.handle(user, { type, key: `${word}:${adjustmentId}`, data }, cause);
      const newBalance = usdText(microOf(totalsOf(state).paid));
      return json(200, { success: true, adjustmentId, userId: user, newBalance, currency: 'USD' });
    },
  });

/** What becomes of adjustments that wait. */
export const decideAdjustments = ({ accounts }: Readonly<{ accounts: Accounts }>): readonly Endpoint[] => [
  decision(accounts, 'approve'),
  decision(accounts, 'reject'),
];
