import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { identityProvider, type IdentityProviderOptions } from '../../infra/auth/identity-provider.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { failure } from './rig.ts';

const AUDIENCE = 'https://api.plantocode.test';
const NOW = Math.floor(Date.now() / 1000);

type Key = Readonly<{ kid: string; privateKey: KeyObject; jwk: object }>;

const newKey = (kid: string): Key => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } };
};

/** A provider whose answers a test decides. */
const startDouble = async () => {
  const answers = {
    keys: [] as Key[],
    userinfo: { status: 200, body: {} as unknown },
    down: { jwks: 0, userinfo: 0 },
    looks: 0,
  };
  const send = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server: Server = createServer((request, response) => {
    const isKeys = request.url === '/.well-known/jwks.json';
    if (isKeys) answers.looks += 1;
    const down = isKeys ? answers.down.jwks : answers.down.userinfo;
    // 1 stands for an answer that never comes.
    if (down === 1) return;
    if (down > 1) return send(response, down, { error: 'down' });
    if (isKeys) return send(response, 200, { keys: answers.keys.map(({ jwk }) => jwk) });
    send(response, answers.userinfo.status, answers.userinfo.body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  const issuerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { answers, issuerUrl, stop };
};

type Double = Awaited<ReturnType<typeof startDouble>>;

describe('the identity provider', () => {
  const [first, second] = [newKey('first'), newKey('second')];
  let double: Double;

  beforeEach(async () => {
    double = await startDouble();
    double.answers.keys = [first];
    double.answers.userinfo.body = { sub: 'auth0|ada', email: 'ada@example.test', email_verified: true, name: 'Ada' };
  });
  afterEach(() => double.stop());

  const provider = (more: Partial<IdentityProviderOptions> = {}) =>
    identityProvider({
      issuerUrl: double.issuerUrl,
      audience: AUDIENCE,
      timeoutMs: 100,
      keyCooldownMs: 0,
      logger: silentLogger,
      ...more,
    });

  type Told = Readonly<{ key?: Key; alg?: string; claims?: Readonly<Record<string, unknown>> }>;
  const tokenOf = ({ key = first, alg = 'RS256', claims = {} }: Told = {}): Promise<string> =>
    new SignJWT({ iss: double.issuerUrl, aud: AUDIENCE, sub: 'auth0|ada', exp: NOW + 3600, iat: NOW, ...claims })
      .setProtectedHeader({ alg, kid: key.kid })
      .sign(key.privateKey);

  const refusal = async (promise: Promise<unknown>): Promise<string> => {
    const error = await failure(promise);
    return isDomainError(error) ? error.errorType : expect.fail(`not refused but ${String(error)}`);
  };

  it('vouches for whom a good token was given to', async () => {
    expect(await provider().profileOf(await tokenOf())).to.deep.equal({
      subject: 'auth0|ada',
      email: 'ada@example.test',
      emailVerified: true,
      name: 'Ada',
      role: undefined,
    });
    const listed = await tokenOf({ claims: { aud: ['other', AUDIENCE] } });
    expect((await provider().profileOf(listed)).subject).to.equal('auth0|ada');
  });

  it('makes do with what little a provider tells, and believes no address that is not verified', async () => {
    const told = async (body: object) => {
      double.answers.userinfo.body = { sub: 'auth0|ada', ...body };
      return provider().profileOf(await tokenOf());
    };
    expect(await told({})).to.include({ email: undefined, emailVerified: false, name: undefined });
    expect(await told({ email: null, name: '', email_verified: null })).to.include({
      email: undefined,
      name: undefined,
    });
    expect(await told({ email: 'a@b.test', email_verified: 'true' })).to.include({ emailVerified: true });
    expect(await told({ email: 'a@b.test', email_verified: 'false' })).to.include({ emailVerified: false });
  });

  it('reads the role from the claim that it was told of', async () => {
    const claim = 'https://plantocode.test/role';
    const roleOf = async (told: unknown) =>
      (await provider({ roleClaim: claim }).profileOf(await tokenOf({ claims: { [claim]: told } }))).role;
    expect(await roleOf('admin')).to.equal('admin');
    expect(await roleOf(['editor', 'admin'])).to.equal('admin');
    for (const told of ['user', 'administrator', ['Admin'], true, undefined])
      expect(await roleOf(told)).to.equal('user');
  });

  const bad: readonly (readonly [string, Told])[] = [
    ['expired', { claims: { exp: NOW - 60 } }],
    ['of another issuer', { claims: { iss: 'https://evil.test/' } }],
    ['for another audience', { claims: { aud: 'client-id' } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['signed with an unknown key', { key: second }],
    ['signed with a key that only pretends', { key: { ...second, kid: 'first' } }],
    ['of another algorithm', { alg: 'RS512' }],
  ];
  for (const [what, told] of bad) {
    it(`refuses a token that is ${what}`, async () => {
      expect(await refusal(provider().profileOf(await tokenOf(told)))).to.equal('authentication_error');
    });
  }

  it('refuses what is no token, and a token whose userinfo is somebody else’s or refused', async () => {
    expect(await refusal(provider().profileOf('x.y.z'))).to.equal('authentication_error');
    double.answers.userinfo.body = { sub: 'auth0|eve' };
    expect(await refusal(provider().profileOf(await tokenOf()))).to.equal('authentication_error');
    double.answers.userinfo.status = 401;
    expect(await refusal(provider().profileOf(await tokenOf()))).to.equal('authentication_error');
  });

  it('looks at the keys once, and again when a token names one that it does not know', async () => {
    const one = provider();
    await one.profileOf(await tokenOf());
    await one.profileOf(await tokenOf());
    expect(double.answers.looks).to.equal(1);
    double.answers.keys = [second];
    expect((await one.profileOf(await tokenOf({ key: second }))).subject).to.equal('auth0|ada');
    expect(double.answers.looks).to.equal(2);
    expect(await refusal(one.profileOf(await tokenOf({ key: first })))).to.equal('authentication_error');
  });

  it('does not let unknown keys make it look all the time', async () => {
    const one = provider({ keyCooldownMs: 30_000 });
    await one.profileOf(await tokenOf());
    for (let times = 0; times < 5; times += 1) await refusal(one.profileOf(await tokenOf({ key: second })));
    expect(double.answers.looks).to.equal(1);
  });

  for (const [what, part, down] of [
    ['the keys never come', 'jwks', 1],
    ['the keys are an error', 'jwks', 500],
    ['userinfo never answers', 'userinfo', 1],
    ['userinfo is an error', 'userinfo', 502],
    ['userinfo has had enough', 'userinfo', 429],
  ] as const) {
    it(`does not call the token bad when ${what}`, async () => {
      double.answers.down[part] = down;
      const one = provider();
      expect(await refusal(one.profileOf(await tokenOf()))).to.equal('external_service_error');
      double.answers.down[part] = 0;
      expect((await one.profileOf(await tokenOf())).subject).to.equal('auth0|ada');
    });
  }

  it('does not call the token bad when userinfo makes no sense, or nobody is there', async () => {
    const token = await tokenOf();
    for (const body of ['<html>', { sub: 7 }]) {
      double.answers.userinfo.body = body;
      expect(await refusal(provider().profileOf(token))).to.equal('external_service_error');
    }
    const one = provider();
    await double.stop();
    expect(await refusal(one.profileOf(token))).to.equal('external_service_error');
  });
});
