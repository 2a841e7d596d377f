import type { BillingPolicy } from '../../../../commands/billing-policy/billing-policy.state.ts';
import type { Catalogue } from '../../../kernel/catalogue.ts';
import { usdText } from '../../../kernel/money.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { centsText, rateText, tierView } from '../billing/fee-tiers.ts';

export type AllConfigurationsDeps = Readonly<{
  catalogue: () => Catalogue;
  policy: () => BillingPolicy;
  /** What is put on hold above an estimate, in basis points, and for how many seconds without a sign of life. */
  holds: Readonly<{ marginBps: bigint; leaseSeconds: number }>;
}>;

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const inSnakeCase = (settings: object): object =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [snakeCase(name), value as unknown]));

const aiSettings = ({ version, tasks, maxConcurrentJobs, codexCli }: Catalogue): object => ({
  catalogue_version: version,
  tasks: Object.fromEntries(
    Object.entries(tasks)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, settings]) => [name, inSnakeCase(settings)]),
  ),
  max_concurrent_jobs: maxConcurrentJobs,
  codex_cli: inSnakeCase(codexCli),
});

/** GET /api/config/all-configurations: every setting by its key, for administrators. Amounts are decimal text. */
export const allConfigurations = ({ catalogue, policy, holds }: AllConfigurationsDeps): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/config/all-configurations',
    limit: 'read',
    handle: () => {
      const { promo, limits, tiers } = policy();
      return Promise.resolve(
        json(200, {
          ai_settings: aiSettings(catalogue()),
          billing_free_credits_amount: usdText(promo.amount),
          billing_free_credits_expiry_days: promo.days.toString(),
          billing_max_credit_purchase: centsText(limits.maxMinor),
          billing_reservation_buffer_multiplier: rateText(10_000n + holds.marginBps),
          billing_reservation_ttl_seconds: holds.leaseSeconds,
          credit_purchase_fee_tiers: {
            tiers: tiers.map(tierView).map(({ feeRate, ...tier }) => ({ ...tier, fee_rate: feeRate })),
          },
        }),
      );
    },
  });
