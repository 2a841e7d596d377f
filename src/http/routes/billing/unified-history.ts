import { z } from 'zod';
import { unifiedHistory, type HistoryEntry } from '../../../../queries/billing/unified-history.query.ts';
import { usdNumber } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { limitOf, offsetOf } from './paging.ts';

const isPlain = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

const query = z.object({
  limit: limitOf(20),
  offset: offsetOf,
  search: z.string().max(200).refine(isPlain, 'must be plain text').default(''),
  /** The apps know usage and purchases; whoever asks for all gets grants and expiries too. */
  include: z.enum(['all']).optional(),
});

const presented = (entry: HistoryEntry) => ({
  id: entry.id,
  price: usdNumber(entry.price),
  // Clients expect exactly three decimals here.
  date: new Date(entry.at).toISOString(),
  model: entry.model,
  inputTokens: entry.inputTokens,
  outputTokens: entry.outputTokens,
  cacheWriteTokens: entry.cacheWriteTokens,
  cacheReadTokens: entry.cacheReadTokens,
  balanceAfter: usdNumber(entry.balanceAfter),
  description: entry.description,
  transactionType: entry.type,
});

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'> }>;

/** What was spent and bought, newest first. */
export const unifiedHistoryEndpoint = ({ queries }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/credits/unified-history',
    limit: 'read',
    scope: 'account',
    query,
    handle: async ({ query: { limit, offset, search, include } }, { userId }) => {
      const filter = { search, everything: include === 'all' };
      const page = await queries.asUser(userId, unifiedHistory(userId, filter, { limit, offset }));
      return json(200, { entries: page.entries.map(presented), totalCount: page.total, hasMore: page.hasMore });
    },
  });
