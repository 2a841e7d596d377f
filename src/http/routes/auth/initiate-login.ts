import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { PendingLogins } from '../../auth/pending-logins.ts';
import { publicEndpoint, type Endpoint } from '../../endpoint.ts';
import { mustBeAllowed, type LoginAddresses } from './login-addresses.ts';

const short = z.string().min(1).max(256);

const query = z.object({
  pid: short,
  csrf_tauri: short,
  challenge: z.string().regex(/^[A-Za-z0-9._~-]{1,128}$/, 'must be base64url'),
  challenge_method: z.literal('S256'),
  client_id: short,
  audience: short,
  scope: z.string().regex(/^[\w:. -]{1,256}$/, 'must be words'),
  redirect_uri: z.string().min(1).max(512),
  connection: short.optional(),
});

/** Sends the browser to the identity provider, and remembers for whom. */
export const initiateLogin = (logins: Pick<PendingLogins, 'begin'>, addresses: LoginAddresses): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/auth/auth0/initiate-login',
    limit: 'login',
    query,
    handle: async ({ query: asked }) => {
      mustBeAllowed('client_id', asked.client_id, addresses.clientIds);
      mustBeAllowed('redirect_uri', asked.redirect_uri, addresses.redirectUris);
      mustBeAllowed('audience', asked.audience, [addresses.audience]);
      const state = randomUUID();
      await logins.begin(state, { pid: asked.pid, csrf: asked.csrf_tauri });
      const location = new URL(addresses.authorizeUrl);
      location.search = new URLSearchParams({
        response_type: 'code',
        client_id: asked.client_id,
        redirect_uri: asked.redirect_uri,
        scope: asked.scope,
        audience: asked.audience,
        state,
        code_challenge: asked.challenge,
        code_challenge_method: asked.challenge_method,
        ...(asked.connection === undefined ? {} : { connection: asked.connection }),
      }).toString();
      return { kind: 'redirect', location: location.href };
    },
  });
