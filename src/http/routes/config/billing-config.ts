import { z } from 'zod';
import type { BillingPolicy, SignupOffer } from '../../../../commands/billing-policy/billing-policy.state.ts';
import { usdText, type MicroUsd } from '../../../kernel/money.ts';
import { adminEndpoint, json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { usd } from '../billing/money-bodies.ts';
import type { PolicyChanger } from '../billing-policy/change-policy.ts';

/** A decimal with at least two decimals. */
const priceText = (amount: MicroUsd): string => {
  const [whole = '', cents = ''] = usdText(amount).split('.');
  return `${whole}.${cents.padEnd(2, '0')}`;
};

const shown = ({ amount, days }: SignupOffer) => ({
  freeCreditsAmount: priceText(amount),
  freeCreditsExpiryDays: days,
});

const MOST_DAYS = 365;

const body = z.object({
  freeCreditsAmount: usd.optional(),
  freeCreditsExpiryDays: z.int().min(1).max(MOST_DAYS).optional(),
});

type Deps = Readonly<{ policy: () => BillingPolicy; changePolicy: PolicyChanger }>;

/** The free credits that new users get, and changing them. */
export const billingConfig = ({ policy, changePolicy }: Deps): readonly Endpoint[] => [
  userEndpoint({
    method: 'GET',
    path: '/api/config/billing',
    limit: 'read',
    scope: 'models',
    handle: () => Promise.resolve(json(200, shown(policy().promo))),
  }),
  adminEndpoint({
    method: 'PUT',
    path: '/api/config/billing',
    limit: 'write',
    body,
    handle: async (call) => {
      const { freeCreditsAmount: amount, freeCreditsExpiryDays: days } = call.body;
      const promo = {
        ...(amount === undefined ? {} : { amount }),
        ...(days === undefined ? {} : { days }),
      };
      await changePolicy({ type: 'ChangePromo', data: { promo } }, call);
      return json(200, shown(policy().promo));
    },
  }),
];
