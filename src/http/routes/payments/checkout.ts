import { z } from 'zod';
import type { HostedPage } from '../../../kernel/payments.ts';
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

const emailOf = (email: string): string | undefined => (email === '' ? undefined : email);

/** Opens the page to buy credit on. The same `Idempotency-Key` opens the same page. */
export const buyCredit = ({ purchasing, newId }: PaymentDeps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/billing/checkout/custom-credit-session',
    limit: 'write',
    body,
    handle: async ({ body: { amount, withdrawalConsent }, cause, header }, { userId, email }) =>
      page(
        await purchasing.buy(
          {
            userId,
            email: emailOf(email),
            amount,
            key: header('idempotency-key') ?? newId(),
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
    limit: 'write',
    handle: async ({ cause, header }, { userId, email }) => {
      const address = emailOf(email);
      const customerId = await customers.of(userId, address === undefined ? {} : { email: address }, cause);
      const key = `${userId}:${header('idempotency-key') ?? newId()}`;
      const opened = await provider.openSetup(userId, customerId, key);
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
    limit: 'write',
    handle: async ({ cause }, { userId, email }) => {
      const address = emailOf(email);
      const customerId = await customers.of(userId, address === undefined ? {} : { email: address }, cause);
      return json(200, { url: await provider.openPortal(customerId) });
    },
  });
