import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { startIssuer, type LocalIssuer } from '../../infra/embedded/issuer/issuer.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { eventually } from '../support/eventually.ts';
import { failure } from './rig.ts';
import { app, AUDIENCE, CLIENT, ROLE_CLAIM, startServer, startTestIssuer, type WholeServer } from './whole-login.ts';

describe('the local issuer', function () {
  this.timeout(20_000);
  let folder = '';
  let issuer: LocalIssuer;
  let server: WholeServer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'issuer-'));
    issuer = await startTestIssuer(folder);
    server = await startServer({ issuerUrl: issuer.url });
  });
  after(async () => {
    await server.close();
    await issuer.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const restart = async (): Promise<void> => {
    await issuer.stop();
    issuer = await startTestIssuer(folder);
    // Connections that this process kept to the old one are noticed to be dead only when their turn comes.
    const document = `${issuer.url}/.well-known/openid-configuration`;
    await eventually('the issuer is back', () =>
      fetch(document).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      ),
    );
  };

  const codeOf = async (one: ReturnType<typeof app>): Promise<string> =>
    ((await (await one.poll()).json()) as { authorizationCode: string }).authorizationCode;

  const accessToken = async (fields: Readonly<Record<string, string>>): Promise<string> => {
    const one = app(server.url);
    await one.follow(await one.submit(await one.follow(await one.initiate()), fields));
    return one.exchange(`${issuer.url}/oauth/token`, await codeOf(one));
  };

  it('gives access tokens as Auth0 gives them', async () => {
    const token = await accessToken({ email: 'ada@example.test', admin: 'on' });
    expect(decodeProtectedHeader(token)).to.include({ alg: 'RS256' });
    const claims = decodeJwt(token);
    expect(claims).to.include({ iss: issuer.url, aud: AUDIENCE, [ROLE_CLAIM]: 'admin' });
    expect(claims.exp! - claims.iat!).to.equal(86_400);
    const told = await fetch(`${issuer.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    const person = { sub: claims.sub, email: 'ada@example.test', email_verified: true, name: 'Ada' };
    expect(await told.json()).to.deep.equal(person);
    for (const authorization of ['Bearer x.y.z', `Bearer ${token.slice(0, -6)}AAAAAA`, token, '']) {
      expect((await fetch(`${issuer.url}/userinfo`, { headers: { authorization } })).status).to.equal(401);
    }
  });

  it('knows the same address as the same person', async () => {
    const [one, other] = [
      await accessToken({ email: 'ida@example.test' }),
      await accessToken({ email: 'Ida@Example.test', name: 'Ida', admin: 'on' }),
    ];
    expect(decodeJwt(one).sub).to.equal(decodeJwt(other).sub);
    expect(decodeJwt(one)[ROLE_CLAIM]).to.equal('user');
  });

  it('loses no login over a restart, at any step', async () => {
    const port = new URL(issuer.url).port;
    const one = app(server.url);
    const page = await one.follow(await one.initiate());
    await restart();
    expect(new URL(issuer.url).port).to.equal(port);
    await one.follow(await one.submit(page, { email: 'ada@example.test' }));
    const code = await codeOf(one);
    await restart();
    const token = await one.exchange(`${issuer.url}/oauth/token`, code);
    await restart();
    expect((await one.finalize(token)).status).to.equal(200);
  });

  it('gives a code away once, and to its verifier alone', async () => {
    const [one, other] = [app(server.url), app(server.url)];
    await one.follow(await one.submit(await one.follow(await one.initiate()), { email: 'ada@example.test' }));
    const code = await codeOf(one);
    const tokenUrl = `${issuer.url}/oauth/token`;
    expect(String(await failure(other.exchange(tokenUrl, code)))).to.match(/invalid_grant/);
    await one.exchange(tokenUrl, code);
    expect(String(await failure(one.exchange(tokenUrl, code)))).to.match(/invalid_grant/);
  });

  it('refuses what is no address, and a page that belongs to another browser', async () => {
    const one = app(server.url);
    const page = await one.follow(await one.initiate());
    expect((await one.submit(page, { email: 'nobody' })).status).to.equal(400);
    const stolen = await fetch(page.url, { method: 'POST', body: new URLSearchParams({ email: 'ada@example.test' }) });
    expect(stolen.status).to.equal(400);
    const elsewhere = { url: `${issuer.url}/interaction/another` };
    expect((await one.submit(elsewhere, { email: 'ada@example.test' })).status).to.equal(400);
  });

  it('names the error to our callback when it is asked for what it does not have', async () => {
    const one = app(server.url);
    const begun = new URL((await one.initiate()).headers.get('location')!);
    begun.searchParams.set('audience', 'https://other.test');
    const last = await fetch(begun);
    expect(last.url).to.match(/\/auth\/callback\?error=invalid_target$/);
    expect(await (await one.poll()).json()).to.include({ status: 'error', error: 'invalid_target' });
  });

  it('signs out and goes back to where it knows its way', async () => {
    const out = (returnTo: string) =>
      fetch(`${issuer.url}/v2/logout?client_id=${CLIENT}&returnTo=${encodeURIComponent(returnTo)}`, {
        redirect: 'manual',
      });
    const home = `${server.url}/auth/auth0/logged-out`;
    const back = await out(home);
    expect(back.headers.get('location')).to.equal(home);
    expect(back.headers.getSetCookie().join()).to.include('_session=;');
    expect((await out('https://evil.test/')).status).to.equal(200);
  });

  it('keeps its keys to itself, and does not run in production', async () => {
    expect(statSync(join(folder, 'issuer-keys.json')).mode & 0o077).to.equal(0);
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const settings = { audience: AUDIENCE, clientId: CLIENT, redirectUris: [], roleClaim: ROLE_CLAIM };
      const error = await failure(startIssuer({ port: 0, ...settings, logger: silentLogger }));
      expect(String(error)).to.match(/does not run in production/);
    } finally {
      if (before === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = before;
    }
  });
});
