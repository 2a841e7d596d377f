import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { cookieJar, type Visit } from './cookie-jar.ts';
import { CliError } from './connect.ts';

export type LoginWish = Readonly<{ url: string; email: string; deviceId: string | undefined; admin: boolean }>;

const documentSchema = z.object({
  embedded: z.boolean(),
  authorizationEndpoint: z.url(),
  tokenEndpoint: z.url(),
  clientId: z.string(),
  audience: z.string(),
  scope: z.string(),
  redirectUri: z.url(),
});
const readySchema = z.object({
  status: z.literal('ready'),
  authorizationCode: z.string(),
  tauriCsrfToken: z.string(),
});
const failedSchema = z.object({ error: z.string(), errorDescription: z.string().nullish() });
const tokensSchema = z.object({ access_token: z.string() });
const finalSchema = z.object({ token: z.string() });

type ServerDocument = Readonly<z.output<typeof documentSchema>>;

const HOPS = 12;

const unreachable = (url: string, error: unknown): CliError => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  return new CliError(2, `No answer from ${url} (${cause}). Start the server with "npm start", or give --url.`);
};

/** What a program needs to know of a failure: the server's own message where there is one. */
const told = async (response: Response): Promise<string> => {
  const text = await response.text();
  try {
    const message: unknown = (JSON.parse(text) as Record<string, unknown>)['message'];
    if (typeof message === 'string') return message;
  } catch {
    // Not JSON: a page.
  }
  return `${response.url} answered ${response.status}`;
};

const refused = async (step: string, response: Response): Promise<CliError> =>
  new CliError(1, `${step}: ${await told(response)}`);

const serverDocument = async (url: string): Promise<ServerDocument> => {
  const response = await fetch(new URL('/.well-known/plantocode-server', url)).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  const document = documentSchema.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !document.success) throw new CliError(2, `${url} is not a server that this tool knows.`);
  if (document.data.embedded) return document.data;
  throw new CliError(2, `${url} signs people in elsewhere; this tool works with the embedded sign-in only.`);
};

/** Follows redirects as a browser would, until a page comes or the way leads to somewhere that is not ours. */
const browse = async (jar: Visit, start: URL, init: RequestInit, ours: readonly string[]): Promise<Response> => {
  let at = start;
  let response = await jar(at, init);
  for (let hops = 0; hops < HOPS; hops += 1) {
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    at = new URL(location, at);
    if (!ours.includes(at.origin)) return response;
    await response.body?.cancel();
    response = await jar(at, {});
  }
  throw new CliError(1, 'The sign-in led in a circle.');
};

const fillIn = async (jar: Visit, page: Response, wish: LoginWish, ours: readonly string[]): Promise<Response> => {
  const action = /<form[^>]*\saction="([^"]+)"/.exec(await page.text())?.[1];
  if (action === undefined) throw new CliError(1, 'The sign-in page has no form.');
  const fields = new URLSearchParams({ email: wish.email, ...(wish.admin ? { admin: 'on' } : {}) });
  return browse(jar, new URL(action.replaceAll('&amp;', '&'), page.url), { method: 'POST', body: fields }, ours);
};

const codeFor = async (url: string, pid: string, csrf: string): Promise<string> => {
  const response = await fetch(new URL(`/auth0/poll-status?pid=${pid}`, url));
  if (response.status !== 200) throw await refused('waiting for the sign-in', response);
  const body: unknown = await response.json();
  const failed = failedSchema.safeParse(body);
  if (failed.success) throw new CliError(1, `The sign-in failed: ${failed.data.errorDescription ?? failed.data.error}`);
  const ready = readySchema.parse(body);
  if (ready.tauriCsrfToken !== csrf) throw new CliError(1, 'The answer belongs to another sign-in.');
  return ready.authorizationCode;
};

/** Walks the login as an app and its browser do, and hands the app token on. Throws CliError. */
export const walkLogin = async (wish: LoginWish): Promise<string> => {
  const { url } = wish;
  const server = await serverDocument(url);
  const [pid, csrf] = [randomUUID(), randomBytes(24).toString('base64url')];
  const verifier = randomBytes(32).toString('base64url');
  const jar = cookieJar();
  const ours = [url, server.authorizationEndpoint, server.redirectUri].map((address) => new URL(address).origin);

  const start = new URL('/auth/auth0/initiate-login', url);
  start.search = new URLSearchParams({
    pid,
    csrf_tauri: csrf,
    challenge: createHash('sha256').update(verifier).digest('base64url'),
    challenge_method: 'S256',
    client_id: server.clientId,
    audience: server.audience,
    scope: server.scope,
    redirect_uri: server.redirectUri,
  }).toString();
  const page = await browse(jar, start, {}, ours);
  if (!page.ok) throw await refused('starting the sign-in', page);
  const last = await fillIn(jar, page, wish, ours);
  if (last.status >= 400) throw await refused('signing in', last);

  const code = await codeFor(url, pid, csrf);
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: server.clientId,
    code,
    redirect_uri: server.redirectUri,
    code_verifier: verifier,
  });
  const exchanged = await fetch(server.tokenEndpoint, { method: 'POST', body: form });
  if (!exchanged.ok) throw await refused('exchanging the code', exchanged);
  const accessToken = tokensSchema.parse(await exchanged.json()).access_token;

  const body = { auth0_id_token: accessToken, auth0_refresh_token: null, device_id: wish.deviceId ?? null };
  const finished = await fetch(new URL('/auth0/finalize-login', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!finished.ok) throw await refused('finishing the sign-in', finished);
  return finalSchema.parse(await finished.json()).token;
};
