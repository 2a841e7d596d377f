import { z } from 'zod';
import { creditBalance } from '../../../../queries/billing/credit-balance.query.ts';
import { creditDetails, type LedgerEntry } from '../../../../queries/billing/credit-details.query.ts';
import { isoOf, type Clock } from '../../../kernel/clock.ts';
import { usdText, type MicroUsd } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { limitOf, offsetOf } from './paging.ts';

const query = z.object({ limit: limitOf(20), offset: offsetOf });

const textOrNull = (amount: MicroUsd | null): string | null => (amount === null ? null : usdText(amount));

const presented = (userId: string, entry: LedgerEntry) => ({
  id: entry.id,
  userId,
  transactionType: entry.type,
  netAmount: usdText(entry.net),
  grossAmount: textOrNull(entry.gross),
  feeAmount: textOrNull(entry.fee),
  currency: 'USD',
  description: entry.description,
  stripeChargeId: entry.chargeRef,
  relatedApiUsageId: entry.requestId,
  metadata: {},
  createdAt: entry.at,
  balanceAfter: usdText(entry.balanceAfter),
});

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; clock: Clock }>;

/** The ledger, newest line first, and its sums. */
export const creditDetailsEndpoint = ({ queries, clock }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/credits/details',
    limit: 'read',
    scope: 'account',
    query,
    handle: async ({ query: paging }, { userId }) => {
      const [balance, details] = await Promise.all([
        queries.asUser(userId, creditBalance(userId, isoOf(clock()))),
        queries.asUser(userId, creditDetails(userId, paging)),
      ]);
      return json(200, {
        stats: {
          userId,
          currentBalance: usdText(balance.paid),
          totalPurchased: usdText(details.purchased),
          totalConsumed: usdText(details.consumed),
          totalRefunded: usdText(details.refunded),
          netBalance: usdText(details.net),
          transactionCount: details.total,
          currency: 'USD',
        },
        transactions: details.entries.map((entry) => presented(userId, entry)),
        totalTransactionCount: details.total,
        hasMore: details.hasMore,
      });
    },
  });
