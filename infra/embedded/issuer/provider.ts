import { errors, interactionPolicy, Provider, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '../../../src/kernel/logger.ts';
import type { IssuerKeys } from './keys.ts';
import { noticePage } from './pages.ts';
import type { IssuerState } from './state.ts';

export type IssuerSettings = Readonly<{
  /** The API that access tokens are for; a URL. */
  audience: string;
  clientId: string;
  redirectUris: readonly string[];
  /** The claim of access tokens that says `admin` or `user`. */
  roleClaim: string;
}>;

const DAY = 86_400;

const targetFor = ({ audience }: IssuerSettings, ctx: KoaContextWithOIDC): string => {
  const asked = ctx.oidc.params?.['audience'];
  if (asked !== undefined && asked !== audience) throw new errors.InvalidTarget();
  return audience;
};

/** The standard questions but the one for consent, which there is nobody to give. */
const loginOnly = () => {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  return policy;
};

/** The one client may have what it asks for. */
const grantEverything = async (ctx: KoaContextWithOIDC) => {
  const { client, session, provider } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const existing = known === undefined ? undefined : await provider.Grant.find(known);
  if (existing !== undefined) return existing;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile email');
  await grant.save();
  return grant;
};

const configurationOf = (settings: IssuerSettings, keys: IssuerKeys, state: IssuerState): Configuration => ({
  adapter: state.adapter,
  clients: [
    {
      client_id: settings.clientId,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      redirect_uris: [...settings.redirectUris],
    },
  ],
  jwks: { keys: [keys.signingKey] },
  cookies: { keys: [keys.cookieKey], long: { sameSite: 'lax' }, short: { sameSite: 'lax' } },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  scopes: ['openid', 'profile', 'email'],
  extraParams: ['audience', 'connection'],
  pkce: { required: () => true },
  clientBasedCORS: () => false,
  routes: { authorization: '/authorize', token: '/oauth/token', jwks: '/.well-known/jwks.json' },
  interactions: { policy: loginOnly(), url: (_ctx, { uid }) => `/interaction/${uid}` },
  ttl: {
    AccessToken: DAY,
    AuthorizationCode: 600,
    Grant: 14 * DAY,
    IdToken: DAY,
    Interaction: 3600,
    Session: 14 * DAY,
  },
  findAccount: (_ctx, subject) => {
    const person = state.person(subject);
    if (person === undefined) return undefined;
    const { email, name } = person;
    return { accountId: subject, claims: () => ({ sub: subject, email, email_verified: true, name }) };
  },
  extraTokenClaims: (_ctx, token) => {
    const person = 'accountId' in token ? state.person(token.accountId) : undefined;
    return person === undefined ? undefined : { [settings.roleClaim]: person.admin ? 'admin' : 'user' };
  },
  loadExistingGrant: grantEverything,
  renderError: (ctx, { error, error_description: description }) => {
    ctx.type = 'html';
    ctx.body = noticePage(
      'The sign-in did not succeed',
      `${error}${description === undefined ? '' : `: ${description}`}`,
    );
  },
  features: {
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    // Access tokens are always for the API, in the form of a JWT, as Auth0 makes them.
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) => targetFor(settings, ctx),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: '',
        audience: settings.audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: DAY,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});

/** The certified part of the issuer: authorization, tokens, keys. */
export const issuerProvider = (
  url: string,
  settings: IssuerSettings,
  parts: Readonly<{ keys: IssuerKeys; state: IssuerState; logger: Logger }>,
): Provider => {
  const provider = new Provider(url, configurationOf(settings, parts.keys, parts.state));
  provider.on('server_error', (_ctx, error) => {
    parts.logger.error({ err: error }, 'the local issuer failed');
  });
  return provider;
};
