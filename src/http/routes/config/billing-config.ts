import { usdText, type MicroUsd } from '../../../kernel/money.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/** What new users are given, and for how long. */
export type SignupOffer = Readonly<{ amount: MicroUsd; days: number }>;

/** A decimal with at least two decimals. */
const priceText = (amount: MicroUsd): string => {
  const [whole = '', cents = ''] = usdText(amount).split('.');
  return `${whole}.${cents.padEnd(2, '0')}`;
};

/** The free credits that new users get. */
export const billingConfig = ({ signupOffer }: Readonly<{ signupOffer: SignupOffer }>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/config/billing',
    limit: 'read',
    scope: 'models',
    handle: () =>
      Promise.resolve(
        json(200, { freeCreditsAmount: priceText(signupOffer.amount), freeCreditsExpiryDays: signupOffer.days }),
      ),
  });
