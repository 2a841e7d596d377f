import { creditBalance } from '../../../../queries/billing/credit-balance.query.ts';
import { isoOf, notAfter, type Clock } from '../../../kernel/clock.ts';
import { usdText } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; clock: Clock }>;

/** The balances as exact decimals. */
export const creditBalanceEndpoint = ({ queries, clock }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/credits/balance',
    limit: 'read',
    scope: 'account',
    handle: async (_call, { userId }) => {
      const now = isoOf(clock());
      const balance = await queries.asUser(userId, creditBalance(userId, now));
      const expiresAt = balance.promoExpiresAt;
      return json(200, {
        userId,
        balance: usdText(balance.paid),
        currency: 'USD',
        freeCreditBalance: usdText(balance.promo),
        freeCreditsGrantedAt: balance.signupGrantedAt,
        freeCreditsExpiresAt: expiresAt,
        freeCreditsExpired: expiresAt !== null && notAfter(expiresAt, now),
        createdAt: balance.createdAt ?? now,
        updatedAt: balance.updatedAt,
      });
    },
  });
