import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { Provider } from 'oidc-provider';
import { z } from 'zod';
import type { IssuerKeys } from './keys.ts';
import { loginPage, noticePage } from './pages.ts';
import type { IssuerSettings } from './provider.ts';
import type { IssuerState } from './state.ts';

export type OwnRoutesDeps = Readonly<{
  url: string;
  settings: IssuerSettings;
  keys: IssuerKeys;
  state: IssuerState;
  provider: Provider;
}>;

type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

const MAX_FORM_BYTES = 10_000;
const COOKIES = ['_session', '_session.sig', '_interaction', '_interaction.sig'];

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
  });
  response.end(body);
};

const form = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MAX_FORM_BYTES) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
};

const nameOf = (email: string): string =>
  (email.split('@')[0] ?? email)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');

/** What Auth0 has besides the standard, and the pages that people see. */
export const ownRoutes = ({ url: issuer, settings, keys, state, provider }: OwnRoutesDeps) => {
  const { kty, kid, n, e } = keys.signingKey;
  const publicKeys = createLocalJWKSet({ keys: [{ kty, kid, n, e, alg: 'RS256', use: 'sig' }] });
  // By host and not by port: the port of an app on loopback may be another one each time.
  const returnable = settings.redirectUris.map((uri) => new URL(uri).hostname);

  /** The provider refuses tokens made for an API here; Auth0 accepts them, and clients send them. */
  const userinfo: Route = async (request, response) => {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const verified = await jwtVerify(token, publicKeys, {
      issuer,
      audience: settings.audience,
      algorithms: ['RS256'],
    }).catch(() => undefined);
    const person = state.person(verified?.payload.sub ?? '');
    if (person === undefined) {
      response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
      send(response, 401, 'application/json', '{"error":"invalid_token"}');
      return;
    }
    const { subject, email, name } = person;
    send(response, 200, 'application/json', JSON.stringify({ sub: subject, email, email_verified: true, name }));
  };

  const logout: Route = (_request, response, url) => {
    const target = url.searchParams.get('returnTo') ?? '';
    response.setHeader(
      'Set-Cookie',
      COOKIES.map((name) => `${name}=; Path=/; Max-Age=0; HttpOnly`),
    );
    if (URL.canParse(target) && returnable.includes(new URL(target).hostname)) {
      response.writeHead(302, { Location: target }).end();
    } else {
      send(response, 200, 'text/html', noticePage('Signed out', 'You may close this window.'));
    }
    return Promise.resolve();
  };

  const interaction: Route = async (request, response, url) => {
    const details = await provider.interactionDetails(request, response).catch(() => undefined);
    if (details?.uid !== url.pathname.split('/')[2]) {
      const text = 'This sign-in is too old or was begun in another browser. Start again from the app.';
      return send(response, 400, 'text/html', noticePage('Please start again', text));
    }
    if (request.method !== 'POST') return send(response, 200, 'text/html', loginPage(url.pathname));
    const fields = await form(request);
    const email = z.email().safeParse(fields.get('email')?.trim());
    if (!email.success) return send(response, 400, 'text/html', noticePage('That is no e-mail address', 'Go back.'));
    const name = fields.get('name') ?? nameOf(email.data);
    const { subject } = state.remember({ email: email.data, name, admin: fields.get('admin') === 'on' });
    await provider.interactionFinished(request, response, { login: { accountId: subject } });
  };

  /** The route for a path; undefined when the provider has it. */
  return (path: string): Route | undefined => {
    if (path === '/userinfo') return userinfo;
    if (path === '/v2/logout') return logout;
    return path.startsWith('/interaction/') ? interaction : undefined;
  };
};
