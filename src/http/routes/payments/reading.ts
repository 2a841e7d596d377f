import { z } from 'zod';
import { billingProfile } from '../../../../queries/billing/billing-profile.query.ts';
import { invoices, type InvoiceView } from '../../../../queries/billing/invoices.query.ts';
import { sessionStatus } from '../../../../queries/billing/session-status.query.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import type { Cause } from '../../../kernel/message.ts';
import type { PaymentDeps } from './deps.ts';

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1000);

/** `sepa_debit` is `SepaDebit` to the apps. */
const methodType = (kind: string): string =>
  kind
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

const whole = z
  .string()
  .regex(/^-?\d{1,9}$/, 'must be a whole number')
  .optional();

const MOST_INVOICES = 100;
const USUAL_INVOICES = 50;

/** The payment methods, from the read model. */
export const paymentMethods = ({ queries }: Pick<PaymentDeps, 'queries'>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/payment-methods',
    limit: 'read',
    query: z.object({ limit: whole, offset: whole }),
    handle: async (_call, { userId }) => {
      const { methods, hasDefault } = await queries.asUser(userId, billingProfile(userId));
      return json(200, {
        totalMethods: methods.length,
        hasDefault,
        methods: methods.map(({ id, kind, card, created, isDefault }) => ({
          id,
          type: methodType(kind),
          card,
          created: seconds(created),
          isDefault,
        })),
      });
    },
  });

const displayed = (minor: bigint): string => {
  const digits = minor.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

const shown = (invoice: InvoiceView) => ({
  id: invoice.id,
  created: seconds(invoice.createdAt),
  dueDate: invoice.dueAt === null ? null : seconds(invoice.dueAt),
  amountPaidDisplay: displayed(invoice.amountPaidMinor),
  amountPaid: Number(invoice.amountPaidMinor),
  currency: invoice.currency,
  status: invoice.status,
  invoicePdfUrl: invoice.pdfUrl,
});

const invoiceQuery = z.strictObject({
  /** What is too little or too much is as little or as much as there can be. */
  limit: whole.transform((text) => Math.min(Math.max(Number(text ?? USUAL_INVOICES), 1), MOST_INVOICES)),
  starting_after: z
    .string()
    .regex(/^in_[A-Za-z0-9]{1,200}$/, 'must be the id of an invoice')
    .optional(),
});

/** The invoices, newest first, from the read model. */
export const listInvoices = ({ queries }: Pick<PaymentDeps, 'queries'>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/invoices',
    limit: 'read',
    query: invoiceQuery,
    handle: async ({ query: { limit, starting_after: startingAfter } }, { userId }) => {
      const page = await queries.asUser(userId, invoices(userId, { limit, startingAfter }));
      return json(200, {
        invoices: page.invoices.map(shown),
        totalInvoices: page.invoices.length,
        hasMore: page.hasMore,
      });
    },
  });

type PageDeps = Pick<PaymentDeps, 'queries' | 'lookAgain' | 'purchasing' | 'customers' | 'profiles'>;

/** How a page that this user opened stands; there are no others. A notice that is late is not waited for. */
export const pageStatus = ({ queries, lookAgain, ...deps }: PageDeps): Endpoint => {
  const { purchasing, customers, profiles } = deps;
  const lookAtSetup = async (userId: string, sessionId: string, cause: Cause): Promise<void> => {
    const { customerId } = await profiles.state(userId);
    if (customerId !== null) await customers.setupEnded(userId, customerId, sessionId, cause);
  };
  return userEndpoint({
    method: 'GET',
    path: '/api/billing/checkout/session-status/:sessionId',
    limit: 'read',
    params: z.object({ sessionId: z.string().regex(/^cs_[A-Za-z0-9_]{1,200}$/, 'must be the id of a session') }),
    handle: async ({ params: { sessionId = '' } }, { userId, email }) => {
      const found = await queries.asUser(userId, sessionStatus(userId, sessionId));
      if (found === undefined) throw new DomainError('not_found', 'you have no such checkout session');
      const { status, paymentStatus, purchaseId, isOpen } = found;
      if (isOpen) {
        lookAgain(sessionId, (cause) =>
          purchaseId === null ? lookAtSetup(userId, sessionId, cause) : purchasing.reconcile(purchaseId, {}, cause),
        );
      }
      return json(200, { status, paymentStatus, customerEmail: email === '' ? null : email });
    },
  });
};

/** The key that apps may show to the payment provider. */
export const publishableKey = (key: string | undefined): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/stripe/publishable-key',
    limit: 'read',
    handle: () => {
      if (key !== undefined) return Promise.resolve(json(200, { publishableKey: key }));
      return Promise.reject(new DomainError('configuration_error', 'no publishable key is set on this server'));
    },
  });
