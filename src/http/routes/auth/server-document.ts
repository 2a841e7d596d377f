import { json, publicEndpoint, type Endpoint } from '../../endpoint.ts';
import type { LoginAddresses } from './login-addresses.ts';

/** What a client must know of this server to sign somebody in. */
export const serverDocument = (addresses: LoginAddresses): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/.well-known/plantocode-server',
    limit: 'public',
    handle: () =>
      Promise.resolve(
        json(200, {
          embedded: addresses.embedded,
          issuer: addresses.issuerUrl,
          authorizationEndpoint: addresses.authorizeUrl,
          tokenEndpoint: addresses.tokenUrl,
          clientId: addresses.clientIds[0] ?? null,
          audience: addresses.audience,
          scope: 'openid profile email',
          redirectUri: addresses.redirectUris[0] ?? null,
        }),
      ),
  });
