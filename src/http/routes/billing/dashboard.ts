import { creditBalance, type CreditBalance } from '../../../../queries/billing/credit-balance.query.ts';
import { billingProfile, type BillingProfileView } from '../../../../queries/billing/billing-profile.query.ts';
import { isoOf, type Clock } from '../../../kernel/clock.ts';
import { usdNumber, type MicroUsd } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

const usedOf = ({ signupGrant, promo }: CreditBalance): MicroUsd => (signupGrant > promo ? signupGrant - promo : 0n);

const isBlocked = ({ paid, promo, shortfall, blocked }: CreditBalance): boolean =>
  blocked || shortfall > 0n || paid + promo <= 0n;

const infoOf = ({ hasCustomer, details }: BillingProfileView) => {
  if (!hasCustomer || details === null) return null;
  const { customerName, addressLine1, addressCity, addressCountry } = details;
  const needed = [customerName, addressLine1, addressCity, addressCountry];
  return { ...details, hasBillingInfo: needed.every((part) => part !== null && part !== '') };
};

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; clock: Clock }>;

/** What the user has left. Free credit counts while it has not expired; money on hold is not there to spend. */
export const billingDashboard = ({ queries, clock }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/dashboard',
    limit: 'read',
    scope: 'account',
    handle: async (_call, { userId }) => {
      const [balance, profile] = await Promise.all([
        queries.asUser(userId, creditBalance(userId, isoOf(clock()))),
        queries.asUser(userId, billingProfile(userId)),
      ]);
      return json(200, {
        creditBalanceUsd: usdNumber(balance.paid),
        freeCreditBalanceUsd: usdNumber(balance.promo),
        freeCreditsExpiresAt: balance.promoExpiresAt,
        servicesBlocked: isBlocked(balance),
        isPaymentMethodRequired: !profile.hasDefault,
        isBillingInfoRequired: !(profile.hasName && profile.addressComplete),
        customerBillingInfo: infoOf(profile),
        usageLimitUsd: usdNumber(balance.signupGrant),
        currentUsage: usdNumber(usedOf(balance)),
      });
    },
  });
