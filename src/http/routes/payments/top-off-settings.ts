import { z } from 'zod';
import type { TopOffs } from '../../../../commands/auto-top-off/topping-off.ts';
import { centsOf, priced, type PurchasePolicy } from '../../../../commands/purchases/fee-tiers.ts';
import { billingProfile } from '../../../../queries/billing/billing-profile.query.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { microFromUsdText, usdText } from '../../../kernel/money.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import type { PaymentDeps } from './deps.ts';

/** The text that users agree to when they switch it on. */
const MANDATE_TEXT = '2026-01';
const MOST = 1_000_000_000n;
const MICRO_PER_CENT = 10_000n;

const body = z.object({
  enabled: z.boolean(),
  threshold: z.string().max(40).nullish(),
  amount: z.string().max(40).nullish(),
});

const amountOf = (name: string, text: string | null | undefined): bigint => {
  const micro = text === null || text === undefined ? undefined : microFromUsdText(text);
  if (micro !== undefined && micro > 0n && micro <= MOST) return micro;
  throw new DomainError('bad_request', `${name} must be an amount in USD as text, above 0 and at most 1000`);
};

const shown = (enabled: boolean, threshold: bigint | null, amountMinor: bigint | null) => ({
  enabled,
  threshold: threshold === null ? null : usdText(threshold),
  amount: amountMinor === null ? null : usdText(amountMinor * MICRO_PER_CENT),
});

/** How automatic buying is set. */
export const topOffSettings = ({ queries }: Pick<PaymentDeps, 'queries'>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/auto-top-off-settings',
    limit: 'read',
    handle: async (_call, { userId }) => {
      const { topOff } = await queries.asUser(userId, billingProfile(userId));
      return json(200, shown(topOff.enabled, topOff.thresholdMicro, topOff.amountMinor));
    },
  });

/** Sets automatic buying. Switched off, it keeps what was set. */
export const setTopOff = ({
  profiles,
  topOffs,
  policy,
  topOffSet,
}: Pick<PaymentDeps, 'profiles'> &
  Readonly<{
    topOffs: TopOffs;
    policy: () => Promise<PurchasePolicy>;
    topOffSet: (userId: string) => void;
  }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/billing/auto-top-off-settings',
    limit: 'write',
    body,
    handle: async ({ body: { enabled, threshold, amount }, cause }, { userId }) => {
      const { at } = cause;
      if (!enabled) {
        const data = { userId, by: 'user' as const, reason: 'switched off', at };
        const command = { type: 'DisableTopOff', key: `top-off:${cause.causationId}`, data } as const;
        const { topOff } = (await profiles.handle(userId, command, cause)).state;
        return json(200, shown(false, topOff?.threshold ?? null, BigInt(topOff?.amountMinor ?? 0) || null));
      }
      const below = amountOf('threshold', threshold);
      const amountMinor = centsOf(Number(usdText(amountOf('amount', amount))));
      // What no purchase could ever be made of is refused here, and not each time it is tried.
      priced(await policy(), amountMinor);
      const data = { userId, threshold: below, amountMinor, mandateTextVersion: MANDATE_TEXT, at };
      const command = { type: 'ConfigureTopOff', key: `top-off:${cause.causationId}`, data } as const;
      await profiles.handle(userId, command, cause);
      const resume = { type: 'ResumeTopOff', key: `resume:${cause.causationId}`, data: { userId, at } } as const;
      await topOffs.handle(userId, resume, cause);
      topOffSet(userId);
      return json(200, shown(true, below, BigInt(amountMinor)));
    },
  });
