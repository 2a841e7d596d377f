import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { LocalIssuer } from '../../infra/embedded/issuer/issuer.ts';
import { app, AUDIENCE, CLIENT, signIn, startServer, startTestIssuer, type WholeServer } from './whole-login.ts';

type Envelope = Readonly<{ code: number; message: string; error_type: string; errorType: string }>;

const envelope = async (response: Response): Promise<Envelope> => (await response.json()) as Envelope;

const DEVICE = '7B0C1D2E-3F40-4A5B-8C6D-7E8F90A1B2C3';

describe('the login', function () {
  this.timeout(20_000);
  let issuer: LocalIssuer;
  let server: WholeServer;

  before(async () => {
    issuer = await startTestIssuer();
  });
  beforeEach(async () => {
    server = await startServer({ issuerUrl: issuer.url });
  });
  afterEach(() => server.close());
  after(() => issuer.stop());

  const ada = { email: 'ada@example.test', name: 'Ada Lovelace' };
  const call = (path: string, token: string, method = 'GET', headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${server.url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...headers } });
  const bound = { 'x-device-id': DEVICE.toLowerCase(), 'x-token-binding': DEVICE.toLowerCase() };

  it('goes from the browser to an app token, as the clients walk it', async () => {
    const one = app(server.url);
    expect((await one.poll()).status).to.equal(204);
    const page = await one.follow(await one.initiate());
    expect(page.status).to.equal(200);
    expect(await page.text()).to.include('Ada Lovelace');
    const last = await one.follow(await one.submit(page, ada));
    expect(last.url).to.equal(`${server.url}/auth/callback`);
    expect(await last.text()).to.include('You may close this window');

    const polled = await one.poll();
    expect(polled.status).to.equal(200);
    const ready = (await polled.json()) as { status: string; authorizationCode: string; tauriCsrfToken: string };
    expect(ready).to.include({ status: 'ready', tauriCsrfToken: one.csrf });

    const accessToken = await one.exchange(`${issuer.url}/oauth/token`, ready.authorizationCode);
    const finished = await one.finalize(accessToken, { device_id: DEVICE, later: 'field' });
    expect(finished.status).to.equal(200);
    const body = (await finished.json()) as Awaited<ReturnType<typeof signIn>>;
    expect(body).to.have.all.keys('user', 'token', 'tokenType', 'expiresIn');
    expect(body.user).to.include({ email: 'ada@example.test', name: 'Ada Lovelace', role: 'user' });
    expect(body).to.include({ tokenType: 'Bearer', expiresIn: 86_400 });

    const told = await call('/api/auth/userinfo', body.token, 'GET', bound);
    expect(await told.json()).to.deep.equal(body.user);
  });

  it('lets two first logins at once be one user', async () => {
    const both = await Promise.all([signIn(server.url, issuer.url, ada), signIn(server.url, issuer.url, ada)]);
    expect(both[0].user.id).to.equal(both[1].user.id);
    expect(server.said('user-')).to.deep.equal(['UserRegistered']);
  });

  it('makes an administrator of whom the provider calls one', async () => {
    const { user } = await signIn(server.url, issuer.url, { email: 'grace@example.test', admin: 'on' });
    expect(user).to.include({ role: 'admin', name: 'Grace' });
    expect((await signIn(server.url, issuer.url, { email: 'grace@example.test' })).user.role).to.equal('user');
  });

  describe('when it begins', () => {
    it('hands everything on, encoded', async () => {
      const response = await app(server.url).initiate({ connection: 'google&x=1', scope: 'openid email' });
      expect(response.status).to.equal(302);
      const target = new URL(response.headers.get('location')!);
      expect(`${target.origin}${target.pathname}`).to.equal(`${issuer.url}/authorize`);
      const names =
        'audience client_id code_challenge code_challenge_method connection redirect_uri response_type scope state';
      expect([...target.searchParams.keys()].sort().join(' ')).to.equal(names);
      expect(target.searchParams.get('connection')).to.equal('google&x=1');
      expect(target.searchParams.get('client_id')).to.equal(CLIENT);
      expect(target.searchParams.get('audience')).to.equal(AUDIENCE);
    });

    for (const [what, told] of [
      ['an unknown client', { client_id: 'somebody' }],
      ['another redirect', { redirect_uri: 'https://evil.test/callback' }],
      ['another audience', { audience: 'https://evil.test' }],
      ['a plain challenge', { challenge_method: 'plain' }],
      ['no challenge', { challenge: undefined }],
      ['no pid', { pid: undefined }],
    ] as const) {
      it(`refuses ${what}`, async () => {
        const response = await app(server.url).initiate(told);
        expect(response.status).to.equal(400);
        expect((await envelope(response)).error_type).to.be.oneOf(['invalid_argument', 'validation_error']);
      });
    }
  });

  describe('when the browser comes back', () => {
    const back = (query: string) => fetch(`${server.url}/auth/auth0/callback${query}`, { redirect: 'manual' });
    const stateOf = async (one: ReturnType<typeof app>): Promise<string> =>
      new URL((await one.initiate()).headers.get('location')!).searchParams.get('state')!;

    it('knows a state once and for ten minutes', async () => {
      const state = await stateOf(app(server.url));
      expect((await back(`?code=abcdefghij&state=${state}`)).status).to.equal(302);
      for (const again of [state, randomUUID()]) {
        const response = await back(`?code=abcdefghij&state=${again}`);
        expect(response.status).to.equal(401);
        expect((await envelope(response)).error_type).to.equal('unauthorized');
      }
      const late = await stateOf(app(server.url));
      server.time.pass(601);
      expect((await back(`?code=abcdefghij&state=${late}`)).status).to.equal(401);
    });

    it('lets the result be read again for a minute, and for ten minutes when nobody has', async () => {
      const [one, other] = [app(server.url), app(server.url)];
      for (const each of [one, other]) await back(`?code=abcdefghij&state=${await stateOf(each)}`);
      const status = async (each: typeof one): Promise<number> => (await each.poll()).status;
      expect(await status(one)).to.equal(200);
      server.time.pass(59);
      expect(await status(one)).to.equal(200);
      server.time.pass(2);
      expect(await status(one)).to.equal(204);
      server.time.pass(530);
      expect(await status(other)).to.equal(200);
      server.time.pass(61);
      expect(await status(other)).to.equal(204);
    });

    it('remembers an error of the provider for the waiting client', async () => {
      const one = app(server.url);
      const response = await back(`?error=access_denied&error_description=no&state=${await stateOf(one)}`);
      expect(response.headers.get('location')).to.equal('/auth/callback?error=access_denied');
      const polled = await one.poll();
      expect(polled.status).to.equal(200);
      expect(await polled.json()).to.deep.equal({ status: 'error', error: 'access_denied', errorDescription: 'no' });
    });

    it('refuses an answer without code, error or state', async () => {
      const state = await stateOf(app(server.url));
      for (const query of [`?state=${state}`, '?code=abcdefghij', '?error=x']) {
        expect((await back(query)).status).to.equal(400);
      }
    });

    it('sends the browser to the website when there is one', async () => {
      const other = await startServer({ issuerUrl: issuer.url, websiteBaseUrl: 'https://site.test/' });
      const one = app(other.url);
      const state = await stateOf(one);
      const target = `${other.url}/auth/auth0/callback?code=abcdefghij&state=${state}`;
      const callback = await fetch(target, { redirect: 'manual' });
      expect(callback.headers.get('location')).to.equal('https://site.test/auth/callback');
      const out = await fetch(`${other.url}/auth/auth0/logged-out`, { redirect: 'manual' });
      expect(out.headers.get('location')).to.equal('https://site.test/auth/auth0/logged-out');
      await other.close();
      expect((await fetch(`${server.url}/auth/auth0/logged-out`)).status).to.equal(200);
    });
  });

  describe('when it is finalized', () => {
    it('refuses tokens that are none, and devices that are none', async () => {
      const one = app(server.url);
      const forged = await one.finalize('x.y.z');
      expect(forged.status).to.equal(401);
      expect((await envelope(forged)).error_type).to.equal('authentication_error');
      expect((await one.finalize('x', { device_id: 'phone' })).status).to.equal(400);
      expect((await one.finalize('')).status).to.equal(400);
    });

    it('does not take our own token for the provider’s', async () => {
      const { token } = await signIn(server.url, issuer.url, ada);
      expect((await app(server.url).finalize(token)).status).to.equal(401);
    });
  });

  describe('a refresh', () => {
    const refresh = (token: string, headers: Readonly<Record<string, string>> = {}) =>
      call('/api/auth0/refresh-app-token', token, 'POST', headers);

    const startOf = (): number =>
      Date.parse((server.store.log().find(({ type }) => type === 'SignedIn')!.data as { at: string }).at) / 1000;

    it('gives a new token of the same session, fifty times at once, as one event', async () => {
      const { token, user } = await signIn(server.url, issuer.url, ada, { device_id: DEVICE });
      server.time.pass(3600);
      const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(token, bound)));
      expect(answers.map(({ status }) => status)).to.deep.equal(Array(50).fill(200));
      expect(server.said('session-')).to.deep.equal(['SignedIn', 'SessionRefreshed']);
      const body = (await answers[0]!.json()) as Awaited<ReturnType<typeof signIn>>;
      expect(body).to.include({ tokenType: 'Bearer', expiresIn: 86_400 });
      expect(body.user).to.deep.equal(user);
      const now = server.time.clock();
      const [old, fresh] = await Promise.all([server.tokens.verify(token, now), server.tokens.verify(body.token, now)]);
      expect(fresh).to.include({ sessionId: old.sessionId, deviceId: old.deviceId, subject: old.subject });
      expect(fresh.jti).not.to.equal(old.jti);
      expect((await call('/api/auth/userinfo', body.token, 'GET', bound)).status).to.equal(200);
      expect((await call('/api/auth/userinfo', token, 'GET', bound)).status).to.equal(200);
    });

    it('goes on until the session is as old as it may be, with a last token that ends there', async () => {
      let { token } = await signIn(server.url, issuer.url, ada);
      let last = 86_400;
      for (let day = 1; last === 86_400; day += 1) {
        server.time.pass(86_000);
        const response = await refresh(token);
        expect(response.status, `day ${day}`).to.equal(200);
        ({ token, expiresIn: last } = (await response.json()) as Awaited<ReturnType<typeof signIn>>);
      }
      expect(server.time.clock().getTime() / 1000 + last).to.be.closeTo(startOf() + 30 * 86_400, 2);
      server.time.pass(last);
      expect((await refresh(token)).status).to.equal(401);
    });

    it('binds a token that was bound to none to the device that asks', async () => {
      const { token } = await signIn(server.url, issuer.url, ada);
      const { token: fresh } = (await (await refresh(token, bound)).json()) as { token: string };
      expect((await call('/api/auth/userinfo', fresh)).status).to.equal(401);
      expect((await call('/api/auth/userinfo', fresh, 'GET', bound)).status).to.equal(200);
    });

    it('works for a session that another server with the same secret began, and never says 404', async () => {
      const { token } = await signIn(server.url, issuer.url, ada);
      const other = await startServer({ issuerUrl: issuer.url });
      const answer = await fetch(`${other.url}/api/auth0/refresh-app-token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).to.equal(200);
      expect(other.said('session-')).to.deep.equal(['SignedIn']);
      await other.close();
    });

    it('is a 503 and not a 401 while the store is away', async () => {
      const { token } = await signIn(server.url, issuer.url, ada);
      server.time.pass(3600);
      server.store.outage(true);
      const response = await refresh(token);
      expect(response.status).to.equal(503);
      server.store.outage(false);
      expect((await refresh(token)).status).to.equal(200);
    });
  });

  describe('a logout', () => {
    it('ends the session at once, also without the binding header, and leaves other sessions alone', async () => {
      const mine = await signIn(server.url, issuer.url, ada, { device_id: DEVICE });
      const other = await signIn(server.url, issuer.url, ada);
      const response = await call('/api/auth/logout', mine.token, 'POST', { 'x-device-id': DEVICE });
      expect(response.status).to.equal(200);
      expect(await response.json()).to.have.property('message');
      const dead = await call('/api/auth/userinfo', mine.token, 'GET', bound);
      expect(dead.status).to.equal(401);
      expect(await envelope(dead)).to.include({
        error_type: 'authentication_error',
        errorType: 'authentication_error',
      });
      expect((await call('/api/auth0/refresh-app-token', mine.token, 'POST', bound)).status).to.equal(401);
      expect((await call('/api/auth/userinfo', other.token)).status).to.equal(200);
    });
  });
});
