import { creditBalance, type CreditBalance } from '../../../../queries/billing/credit-balance.query.ts';
import { isoOf, type Clock } from '../../../kernel/clock.ts';
import { usdNumber, type MicroUsd } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

const usedOf = ({ signupGrant, promo }: CreditBalance): MicroUsd => (signupGrant > promo ? signupGrant - promo : 0n);

const isBlocked = ({ paid, promo, shortfall, blocked }: CreditBalance): boolean =>
  blocked || shortfall > 0n || paid + promo <= 0n;

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; clock: Clock }>;

/** What the user has left. Free credit counts while it has not expired; money on hold is not there to spend. */
export const billingDashboard = ({ queries, clock }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/dashboard',
    limit: 'read',
    scope: 'account',
    handle: async (_call, { userId }) => {
      const balance = await queries.asUser(userId, creditBalance(userId, isoOf(clock())));
      return json(200, {
        creditBalanceUsd: usdNumber(balance.paid),
        freeCreditBalanceUsd: usdNumber(balance.promo),
        freeCreditsExpiresAt: balance.promoExpiresAt,
        servicesBlocked: isBlocked(balance),
        isPaymentMethodRequired: true,
        isBillingInfoRequired: true,
        customerBillingInfo: null,
        usageLimitUsd: usdNumber(balance.signupGrant),
        currentUsage: usdNumber(usedOf(balance)),
      });
    },
  });
