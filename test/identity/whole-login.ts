import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { appTokens } from '../../infra/auth/app-tokens.ts';
import { identityProvider, issuerEndpoint } from '../../infra/auth/identity-provider.ts';
import { startIssuer, type LocalIssuer } from '../../infra/embedded/issuer/issuer.ts';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import { cookieJar } from '../../src/cli/cookie-jar.ts';
import { revocations } from '../../src/http/auth/revocations.ts';
import { tokenAuthenticator } from '../../src/http/auth/token-authenticator.ts';
import { authEndpoints } from '../../src/http/routes/auth/index.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { startHttp } from '../support/given-http.ts';
import { identityRig, MAX_SESSION_SECONDS, movableClock } from './rig.ts';

export const CLIENT = 'plantocode-local';
export const AUDIENCE = 'https://api.plantocode.test';
export const ROLE_CLAIM = 'https://plantocode.test/role';
const SECRET = 'a secret of at least thirty-two characters';
/** Listed at the issuer, whatever port the server under test gets: native clients may use any loopback port. */
const CALLBACK = 'http://127.0.0.1/auth/auth0/callback';

export const startTestIssuer = (dataDir?: string): Promise<LocalIssuer> =>
  startIssuer({
    port: 0,
    audience: AUDIENCE,
    clientId: CLIENT,
    redirectUris: [CALLBACK],
    roleClaim: ROLE_CLAIM,
    logger: silentLogger,
    ...(dataDir === undefined ? {} : { dataDir }),
  });

type Options = Readonly<{ issuerUrl: string; websiteBaseUrl?: string; embedded?: boolean; limitLogins?: boolean }>;

/** The real HTTP edge with everything about signing in, on a log in memory and an issuer. */
export const startServer = async ({ issuerUrl, websiteBaseUrl, embedded, limitLogins }: Options) => {
  const time = movableClock(new Date().toISOString());
  const stop = new AbortController();
  const rig = identityRig();
  const tokens = appTokens({ secret: SECRET });
  const ephemeral = memoryEphemeral({ now: () => time.clock().getTime() });
  const list = revocations({
    store: rig.store,
    load: () => Promise.resolve({ position: undefined, ended: [] }),
    onApiKeyChanged: () => Promise.resolve(),
    onUserChanged: async (userId) => {
      await rig.users.state(userId);
    },
    clock: time.clock,
    pause: () => turn(),
    logger: silentLogger,
  });
  await list.start(stop.signal);
  const authenticator = tokenAuthenticator({
    tokens,
    revocations: list,
    users: rig.users,
    provision: rig.service.provision,
    clock: time.clock,
    logger: silentLogger,
  });
  const redirectUris: string[] = [];
  const endpoints = authEndpoints({
    addresses: {
      authorizeUrl: issuerEndpoint(issuerUrl, 'authorize'),
      tokenUrl: issuerEndpoint(issuerUrl, 'oauth/token'),
      issuerUrl,
      audience: AUDIENCE,
      clientIds: [CLIENT],
      redirectUris,
      websiteBaseUrl,
      embedded: embedded ?? true,
    },
    ephemeral,
    clock: time.clock,
    provider: identityProvider({ issuerUrl, audience: AUDIENCE, roleClaim: ROLE_CLAIM, logger: silentLogger }),
    signIn: rig.service.signIn,
    tokens,
    vault: rig.vault,
    sessions: rig.sessions,
    users: rig.users,
    revocations: list,
    signedOut: () => Promise.resolve(),
    tokenSeconds: 86_400,
    maxSessionSeconds: MAX_SESSION_SECONDS,
  });
  const many = { perIp: 10_000, windowSeconds: 60 };
  const http = await startHttp(endpoints, {
    authenticator,
    clock: time.clock,
    limits: limitLogins === true ? defaultLimits : { ...defaultLimits, login: many, authFailures: many },
  });
  // The port is known only now.
  redirectUris.push(`${http.url}/auth/auth0/callback`);
  const close = async (): Promise<void> => {
    stop.abort();
    await http.close();
    await ephemeral.close();
  };
  return { ...rig, url: http.url, time, tokens, list, close };
};

export type WholeServer = Awaited<ReturnType<typeof startServer>>;

/** An app that signs somebody in, step by step. */
export const app = (url: string) => {
  const pid = randomUUID();
  const csrf = randomBytes(24).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const visit = cookieJar();
  const redirectUri = `${url}/auth/auth0/callback`;

  const beginning = (told: Readonly<Record<string, string | undefined>> = {}): URL => {
    const parameters = {
      pid,
      csrf_tauri: csrf,
      challenge: createHash('sha256').update(verifier).digest('base64url'),
      challenge_method: 'S256',
      client_id: CLIENT,
      audience: AUDIENCE,
      scope: 'openid profile email',
      redirect_uri: redirectUri,
      ...told,
    };
    const target = new URL('/auth/auth0/initiate-login', url);
    const entries: readonly (readonly [string, string | undefined])[] = Object.entries(parameters);
    for (const [name, value] of entries) if (value !== undefined) target.searchParams.set(name, value);
    return target;
  };

  const initiate = (told: Readonly<Record<string, string | undefined>> = {}): Promise<Response> =>
    visit(beginning(told), {});

  /** Follows redirects from an answer until there are no more. */
  const follow = async (from: Response): Promise<Response> => {
    let response = from;
    for (let hops = 0; hops < 10; hops += 1) {
      const location = response.headers.get('location');
      if (location === null) return response;
      await response.body?.cancel();
      response = await visit(new URL(location, response.url), {});
    }
    throw new Error('redirected for ever');
  };

  const submit = (page: Pick<Response, 'url'>, fields: Readonly<Record<string, string>>): Promise<Response> =>
    visit(new URL(page.url), { method: 'POST', body: new URLSearchParams(fields) });

  const poll = (): Promise<Response> => fetch(`${url}/auth0/poll-status?pid=${pid}`);

  const exchange = async (tokenUrl: string, code: string): Promise<string> => {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: CLIENT,
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    const response = await fetch(tokenUrl, { method: 'POST', body });
    const told = (await response.json()) as { access_token?: string };
    if (told.access_token === undefined) throw new Error(`no access token: ${JSON.stringify(told)}`);
    return told.access_token;
  };

  const finalize = (accessToken: string, told: Readonly<Record<string, unknown>> = {}): Promise<Response> =>
    fetch(`${url}/auth0/finalize-login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth0_id_token: accessToken, auth0_refresh_token: null, device_id: null, ...told }),
    });

  return { pid, csrf, beginning, initiate, follow, submit, poll, exchange, finalize };
};

export type SignedIn = Readonly<{
  user: { id: string; email: string; name: string | null; role: string };
  token: string;
  tokenType: string;
  expiresIn: number;
}>;

/** A whole login in one go; the answer of its last step. */
export const signIn = async (
  url: string,
  issuerUrl: string,
  fields: Readonly<Record<string, string>>,
  told: Readonly<Record<string, unknown>> = {},
): Promise<SignedIn> => {
  const one = app(url);
  const page = await one.follow(await one.initiate());
  await one.follow(await one.submit(page, fields));
  const { authorizationCode } = (await (await one.poll()).json()) as { authorizationCode: string };
  const accessToken = await one.exchange(issuerEndpoint(issuerUrl, 'oauth/token'), authorizationCode);
  return (await (await one.finalize(accessToken, told)).json()) as SignedIn;
};
