import { z } from 'zod';
import type { HostedPage } from '../../../kernel/payments.ts';
import { uuidOf } from '../../../kernel/ids.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { json, userEndpoint, type Endpoint, type Reply } from '../../endpoint.ts';
import type { PaymentDeps } from './deps.ts';

const body = z.object({
  /** USD without tax. */
  amount: z.number(),
  /** For consumers in the EU, whose right to withdraw ends when the credit is used. */
  withdrawalConsent: z
    .object({
      immediateStart: z.boolean(),
      acknowledgesLoss: z.boolean(),
      textVersion: z.string().min(1).max(100),
    })
    .optional(),
});

const page = ({ sessionId, url }: HostedPage): Reply => json(200, { sessionId, url });

const whoOf = (email: string): Readonly<{ email?: string }> => (email === '' ? {} : { email });

/** Opens the page to buy credit on. The same `Idempotency-Key` opens the same page. */
export const buyCredit = ({ purchasing, newId }: PaymentDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/billing/checkout/custom-credit-session',
    limit: 'checkout',
    body,
    handle: async ({ body: { amount, withdrawalConsent }, cause, header }, { userId, email }) =>
      page(
        await purchasing.buy(
          {
            userId,
            email: whoOf(email).email,
            amount,
            key: idempotencyKey(header('idempotency-key')) ?? newId(),
            consent: withdrawalConsent ?? null,
          },
          cause,
        ),
      ),
  });

/** Opens the page to add a payment method and an address on. */
export const addPaymentMethod = ({ customers, profiles, provider, newId }: PaymentDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/billing/checkout/setup-session',
    limit: 'checkout',
    handle: async ({ cause, header }, { userId, email }) => {
      const key = idempotencyKey(header('idempotency-key')) ?? newId();
      const opened = await customers.with(userId, whoOf(email), cause, (customerId) =>
        // Hashed, because the provider's keys are short; another customer is another request there.
        provider.openSetup(userId, customerId, uuidOf(`setup|${customerId}|${key}`)),
      );
      const { sessionId, expiresAt } = opened;
      const data = { userId, sessionId, expiresAt, at: cause.at };
      await profiles.handle(userId, { type: 'NoteSetup', key: `setup:${sessionId}`, data }, cause);
      return page(opened);
    },
  });

/** Opens the payment provider's own page of everything about paying. */
export const openPortal = ({ customers, provider }: PaymentDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/billing/create-portal-session',
    limit: 'checkout',
    handle: async ({ cause }, { userId, email }) =>
      json(200, { url: await customers.with(userId, whoOf(email), cause, provider.openPortal) }),
  });
