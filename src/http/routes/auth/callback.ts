import { z } from 'zod';
import { DomainError } from '../../../kernel/errors.ts';
import type { PendingLogins } from '../../auth/pending-logins.ts';
import { publicEndpoint, type Endpoint } from '../../endpoint.ts';
import { onWebsite, type LoginAddresses } from './login-addresses.ts';

const query = z.object({
  state: z.string().min(1).max(256),
  code: z.string().min(1).max(4096).optional(),
  error: z.string().min(1).max(256).optional(),
  error_description: z.string().max(1024).optional(),
});

/** The provider sends the browser back to here: what it brought is kept for the client that asks for it. */
export const callback = (
  logins: Pick<PendingLogins, 'take' | 'succeed' | 'fail'>,
  addresses: LoginAddresses,
): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/auth/auth0/callback',
    limit: 'public',
    query,
    handle: async ({ query: { state, code, error, error_description: description } }) => {
      if (code === undefined && error === undefined)
        throw new DomainError('bad_request', 'neither code nor error came');
      const login = await logins.take(state);
      if (login === undefined) throw new DomainError('unauthorized', 'this sign-in is not known any more; start again');
      if (error !== undefined || code === undefined) await logins.fail(login, error ?? 'no_code', description);
      else await logins.succeed(login, code);
      const path = error === undefined ? '/auth/callback' : `/auth/callback?error=${encodeURIComponent(error)}`;
      const { websiteBaseUrl } = addresses;
      return { kind: 'redirect', location: websiteBaseUrl === undefined ? path : onWebsite(websiteBaseUrl, path) };
    },
  });
