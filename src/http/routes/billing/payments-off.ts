import { DomainError } from '../../../kernel/errors.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/** An endpoint that needs the payment provider, on a server without one. */
const unavailable = (method: 'GET' | 'POST', path: string): Endpoint =>
  userEndpoint({
    method,
    path: `/api/billing${path}`,
    limit: method === 'GET' ? 'read' : 'write',
    handle: () =>
      Promise.reject(
        new DomainError('configuration_error', 'payments are not set up on this server; ask whoever runs it'),
      ),
  });

/** An endpoint whose true answer without payments is known. */
const answering = (path: string, body: unknown): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: `/api/billing${path}`,
    limit: 'read',
    handle: () => Promise.resolve(json(200, body)),
  });

/** What the payment endpoints answer on a server that takes no payments: nothing was ever paid, nothing can be. */
export const paymentsOff = (): readonly Endpoint[] => [
  answering('/auto-top-off-settings', { enabled: false, threshold: null, amount: null }),
  answering('/payment-methods', { totalMethods: 0, hasDefault: false, methods: [] }),
  answering('/invoices', { invoices: [], totalInvoices: 0, hasMore: false }),
  unavailable('POST', '/auto-top-off-settings'),
  unavailable('POST', '/create-portal-session'),
  unavailable('GET', '/stripe/publishable-key'),
  unavailable('POST', '/checkout/custom-credit-session'),
  unavailable('POST', '/checkout/setup-session'),
  unavailable('GET', '/checkout/session-status/:sessionId'),
];
