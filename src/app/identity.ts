import { appTokens } from '../../infra/auth/app-tokens.ts';
import { identityProvider, issuerEndpoint } from '../../infra/auth/identity-provider.ts';
import type { Config } from '../config.ts';
import { keyOrTokenAuthenticator } from '../http/auth/api-key-authenticator.ts';
import { revocations } from '../http/auth/revocations.ts';
import { tokenAuthenticator } from '../http/auth/token-authenticator.ts';
import type { LoginAddresses } from '../http/routes/auth/login-addresses.ts';
import { authEndpoints } from '../http/routes/auth/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { endedSessions } from './ended-sessions.ts';
import { LOCAL_AUDIENCE, LOCAL_CLIENT_ID, LOCAL_ROLE_CLAIM, type Parts } from './parts.ts';
import type { ReadSide } from './read-side.ts';
import type { Stores } from './stores.ts';
import { maxSessionSeconds, type WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Config;
  parts: Parts;
  stores: Stores;
  write: WriteSide;
  read: ReadSide;
  publicUrl: string;
  clock: Clock;
  logger: Logger;
}>;

/** The issuer's URL, its audience, its client ids and the claim that tells the role. */
const providerOf = ({ AUTH0_DOMAIN, AUTH0_API_AUDIENCE, AUTH0_CLIENT_IDS, AUTH0_ROLE_CLAIM }: Config, parts: Parts) =>
  AUTH0_DOMAIN === undefined
    ? {
        issuerUrl: parts.issuerUrl ?? '',
        audience: LOCAL_AUDIENCE,
        clientIds: [LOCAL_CLIENT_ID],
        roleClaim: LOCAL_ROLE_CLAIM,
      }
    : {
        issuerUrl: `https://${AUTH0_DOMAIN}/`,
        audience: AUTH0_API_AUDIENCE ?? '',
        clientIds: AUTH0_CLIENT_IDS ?? [],
        roleClaim: AUTH0_ROLE_CLAIM,
      };

/** Signing in and out, and proving callers. */
export const identity = (deps: Deps) => {
  const { config, parts, stores, write, read, publicUrl, clock, logger } = deps;
  const { issuerUrl, audience, clientIds, roleClaim } = providerOf(config, parts);
  const tokens = appTokens({ secret: parts.secrets.jwtSecret });
  const provider = identityProvider({
    issuerUrl,
    audience,
    logger,
    ...(roleClaim === undefined ? {} : { roleClaim }),
  });
  const ended = revocations({
    store: stores.eventStore,
    load: endedSessions({ pools: stores.pools, queries: read.queries, clock }),
    // The state at the end of the stream replaces the cached one.
    onUserChanged: async (userId) => {
      await write.users.state(userId);
    },
    onApiKeyChanged: async (keyId) => {
      await write.apiKeys.state(keyId);
    },
    clock,
    pause: write.pause,
    logger,
  });
  const addresses: LoginAddresses = {
    authorizeUrl: issuerEndpoint(issuerUrl, 'authorize'),
    tokenUrl: issuerEndpoint(issuerUrl, 'oauth/token'),
    issuerUrl,
    audience,
    clientIds,
    redirectUris: [`${publicUrl}/auth/auth0/callback`, ...(config.AUTH0_REDIRECT_URIS ?? [])],
    websiteBaseUrl: config.WEBSITE_BASE_URL,
    embedded: parts.issuerUrl !== undefined,
  };
  const endpoints = authEndpoints({
    addresses,
    ephemeral: stores.ephemeral,
    clock,
    provider,
    signIn: write.signIn,
    tokens,
    vault: stores.vault,
    sessions: write.sessions,
    users: write.users,
    revocations: ended,
    signedOut: async (whose, cause) => {
      try {
        await write.pushTokens.drop(whose, 'signed_out', cause);
      } catch (error) {
        // They are signed out all the same; the token is dropped when the next user of the device hands it in.
        logger.warn({ err: error, deviceId: whose.deviceId }, 'the push token of a device was not dropped');
      }
    },
    tokenSeconds: config.JWT_ACCESS_TOKEN_DURATION_DAYS * 86_400,
    maxSessionSeconds: maxSessionSeconds(config),
  });
  const { apiKeys: keys, users, provision } = write;
  const byToken = tokenAuthenticator({ tokens, revocations: ended, users, provision, clock, logger });
  const authenticator = keyOrTokenAuthenticator({ keys, users, clock, logger }, byToken);
  return { endpoints, authenticator, revocations: ended };
};
