import { createHmac } from 'node:crypto';
import type { Secrets } from '../../infra/embedded/data-dir/secrets.ts';

/** What this server and its local payment pages know each other by; the same after every start. */
export type LocalPaymentKeys = Readonly<{ secretKey: string; webhookSecret: string; publishableKey: string }>;

/** The keys of an installation, derived from its own secrets. */
export const localPaymentKeys = ({ identityHashKey }: Pick<Secrets, 'identityHashKey'>): LocalPaymentKeys => {
  const derived = (what: string): string =>
    createHmac('sha256', identityHashKey).update(`local payments: ${what}`).digest('hex').slice(0, 32);
  return {
    secretKey: `sk_test_${derived('secret key')}`,
    webhookSecret: `whsec_${derived('webhook secret')}`,
    publishableKey: `pk_test_${derived('publishable key')}`,
  };
};
