import { createHash, createHmac, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { SignJWT, type JWTPayload } from 'jose';
import { appTokens } from '../../infra/auth/app-tokens.ts';
import type { Credentials } from '../../src/http/authenticator.ts';
import { revocations, type EndedSoFar } from '../../src/http/auth/revocations.ts';
import { logout } from '../../src/http/routes/auth/logout.ts';
import { tokenAuthenticator } from '../../src/http/auth/token-authenticator.ts';
import { isoAfter, isoOf } from '../../src/kernel/clock.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { TokenGrant } from '../../src/kernel/tokens.ts';
import { ada, causeAt, failure, identityRig, movableClock, type IdentityRig } from './rig.ts';

const SECRET = 'a secret of at least thirty-two characters';
const DEVICE = '7b0c1d2e-3f40-4a5b-8c6d-7e8f90a1b2c3';

const nothingYet = (): Promise<EndedSoFar> => Promise.resolve({ position: undefined, ended: [] });

/** One server: its authenticator and its list of ended sessions, on a log that others may share. */
const server = async (
  time: ReturnType<typeof movableClock>,
  signal: AbortSignal,
  shared?: IdentityRig,
  load = nothingYet,
) => {
  const rig = shared === undefined ? identityRig() : identityRig(shared.store, shared.vault);
  const tokens = appTokens({ secret: SECRET });
  const list = revocations({
    store: rig.store,
    load,
    onApiKeyChanged: () => Promise.resolve(),
    onUserChanged: async (userId) => {
      await rig.users.state(userId);
    },
    clock: time.clock,
    pause: () => turn(),
    logger: silentLogger,
  });
  await list.start(signal);
  const authenticate = tokenAuthenticator({
    tokens,
    revocations: list,
    users: rig.users,
    provision: rig.service.provision,
    clock: time.clock,
    logger: silentLogger,
  });
  return { ...rig, tokens, list, authenticate };
};

type Server = Awaited<ReturnType<typeof server>>;

const offer = (token: string, more: Partial<Credentials> = {}): Credentials => ({
  authorization: `Bearer ${token}`,
  apiKey: undefined,
  deviceId: undefined,
  tokenBinding: undefined,
  method: 'GET',
  path: '/api/auth/userinfo',
  ...more,
});

const binding = { deviceId: DEVICE, tokenBinding: DEVICE };

const refusal = async (promise: Promise<unknown>): Promise<{ type: string; message: string }> => {
  const error = await failure(promise);
  if (!isDomainError(error)) return expect.fail(`not refused but ${String(error)}`);
  return { type: error.errorType, message: error.message };
};

/** Waits, turn by turn of the event loop, until the condition holds. */
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let turns = 0; turns < 1000; turns += 1) {
    if (await holds()) return;
    await turn();
  }
  expect.fail('what was waited for did not happen');
};

describe('the authenticator', () => {
  let time = movableClock();
  let stop = new AbortController();
  let here: Server;

  beforeEach(async () => {
    time = movableClock();
    stop = new AbortController();
    here = await server(time, stop.signal);
  });
  afterEach(() => stop.abort());

  const grantFor = (userId: string, told: Partial<TokenGrant> = {}): TokenGrant => {
    const now = Math.floor(time.clock().getTime() / 1000);
    return {
      userId,
      email: 'ada@example.test',
      role: 'user',
      subject: ada.subject,
      jti: randomUUID(),
      deviceId: undefined,
      sessionId: randomUUID(),
      issuedAt: now,
      expiresAt: now + 86_400,
      ...told,
    };
  };
  const tokenFor = async (told: Partial<TokenGrant> = {}): Promise<string> => {
    const { userId } = await here.logIn();
    return here.tokens.issue(grantFor(userId, told));
  };

  const signOut = (on: Server, sessionId: string, userId: string) => {
    const at = isoOf(time.clock());
    const data = { sessionId, userId, expiresAt: isoAfter(at, 86_400_000), at };
    return on.sessions.handle(sessionId, { type: 'SignOut', key: `sign-out:${sessionId}`, data }, causeAt(at));
  };

  it('knows the caller by the token', async () => {
    const { userId } = await here.logIn();
    const grant = grantFor(userId, { deviceId: DEVICE });
    const caller = await here.authenticate(offer(await here.tokens.issue(grant), binding));
    expect(caller).to.deep.equal({
      userId,
      sessionId: grant.sessionId,
      jti: grant.jti,
      deviceId: DEVICE,
      role: 'user',
      email: 'ada@example.test',
      tokenExpiresAt: grant.expiresAt,
    });
  });

  it('takes the device from the header when the token is bound to none', async () => {
    const token = await tokenFor();
    expect(await here.authenticate(offer(token, { deviceId: DEVICE.toUpperCase() }))).to.include({ deviceId: DEVICE });
    expect(await here.authenticate(offer(token, { deviceId: 'phone' }))).to.include({ deviceId: undefined });
  });

  it('asks no store for a user and a token that it knows', async () => {
    const token = await tokenFor();
    await here.authenticate(offer(token));
    here.store.outage(true);
    expect(await here.authenticate(offer(token))).to.include({ role: 'user' });
  });

  it('has the token written as the clients expect it', async () => {
    const token = await tokenFor({ deviceId: DEVICE });
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).to.include({ iss: 'plantocode', aud: 'plantocode-api', scope: 'read write rpc', ip_binding: null });
    expect(claims).to.include({ device_id: DEVICE, tbh: createHash('sha256').update(DEVICE).digest('hex') });
    expect(claims['session_id']).to.be.a('string');
    expect(claims['exp']).to.equal((claims['iat'] as number) + 86_400);
  });

  describe('refuses', () => {
    const cases: readonly (readonly [string, Partial<Credentials>, RegExp])[] = [
      ['a request without credentials', { authorization: undefined }, /Missing credentials/],
      ['another scheme', { authorization: 'bearer x' }, /Missing credentials/],
      ['an API key, which is no token', { authorization: 'ApiKey abc' }, /Missing credentials/],
      ['another device', { ...binding, deviceId: randomUUID() }, /device id mismatch/],
      ['a bound token without its device', { tokenBinding: DEVICE }, /device binding validation failed/],
      ['a bound token without its binding', { deviceId: DEVICE }, /missing x-token-binding header/],
      ['another binding', { ...binding, tokenBinding: DEVICE.toUpperCase() }, /token binding validation failed/],
      ['a token that is none', { ...binding, authorization: 'Bearer x.y.z' }, /the token is not valid/],
      ['an empty token', { ...binding, authorization: 'Bearer ' }, /the token is not valid/],
    ];
    for (const [what, offered, phrase] of cases) {
      it(what, async () => {
        const token = await tokenFor({ deviceId: DEVICE });
        const { type, message } = await refusal(here.authenticate(offer(token, offered)));
        expect(type).to.equal('authentication_error');
        expect(message).to.match(phrase);
      });
    }

    const forged: readonly (readonly [string, (payload: JWTPayload) => JWTPayload, RegExp])[] = [
      ['a token of another issuer', (payload) => ({ ...payload, iss: 'somebody' }), /not for this server \(iss\)/],
      ['a token for another audience', (payload) => ({ ...payload, aud: 'somebody' }), /not for this server \(aud\)/],
      ['a token whose subject is no UUID', (payload) => ({ ...payload, sub: 'ada' }), /malformed/],
      ['a token without an id', ({ jti: _jti, ...payload }) => payload, /malformed/],
      ['a token that never expires', ({ exp: _exp, ...payload }) => payload, /malformed/],
      ['a token that may only write', (payload) => ({ ...payload, scope: 'write' }), /lacks the scope read/],
    ];
    for (const [what, change, phrase] of forged) {
      it(what, async () => {
        const good = await tokenFor();
        const payload = JSON.parse(Buffer.from(good.split('.')[1]!, 'base64url').toString()) as JWTPayload;
        const key = new TextEncoder().encode(SECRET);
        const token = await new SignJWT(change(payload)).setProtectedHeader({ alg: 'HS256' }).sign(key);
        const { type, message } = await refusal(here.authenticate(offer(token)));
        expect(type).to.equal('authentication_error');
        expect(message).to.match(phrase);
      });
    }

    it('a token signed with another secret, with another algorithm or not at all', async () => {
      const [head, body] = (await tokenFor()).split('.');
      const none = Buffer.from('{"alg":"none"}').toString('base64url');
      const strong = Buffer.from('{"alg":"HS512"}').toString('base64url');
      const sign = (algorithm: string, text: string, secret: string): string =>
        `${text}.${createHmac(algorithm, secret).update(text).digest('base64url')}`;
      for (const token of [
        sign('sha256', `${head!}.${body!}`, 'another secret of thirty-two characters'),
        sign('sha512', `${strong}.${body!}`, SECRET),
        `${none}.${body!}.`,
      ]) {
        expect((await refusal(here.authenticate(offer(token)))).message).to.match(/the token is not valid/);
      }
    });

    it('an expired token, known or not', async () => {
      const [known, unknown] = [await tokenFor(), await tokenFor()];
      await here.authenticate(offer(known));
      time.pass(86_400);
      for (const token of [known, unknown, known]) {
        expect((await refusal(here.authenticate(offer(token)))).message).to.match(/the token has expired/);
      }
    });

    it('writing with a token that may only read', async () => {
      const good = await tokenFor();
      const payload = JSON.parse(Buffer.from(good.split('.')[1]!, 'base64url').toString()) as JWTPayload;
      const key = new TextEncoder().encode(SECRET);
      const token = await new SignJWT({ ...payload, scope: 'read' }).setProtectedHeader({ alg: 'HS256' }).sign(key);
      await here.authenticate(offer(token));
      expect((await refusal(here.authenticate(offer(token, { method: 'POST' })))).message).to.match(/scope write/);
    });
  });

  it('lets the desktop log out without the binding header, and do nothing else without it', async () => {
    const token = await tokenFor({ deviceId: DEVICE });
    const bare = { deviceId: DEVICE, method: 'POST' };
    for (const path of ['/api/auth/logout', '/api-key/auth/logout', '/api/v1/auth/logout']) {
      expect(await here.authenticate(offer(token, { ...bare, path }))).to.include({ deviceId: DEVICE });
    }
    for (const path of ['/api/auth/logout/x', '/api/devices/auth/logoutall']) {
      expect((await refusal(here.authenticate(offer(token, { ...bare, path })))).message).to.match(/x-token-binding/);
    }
  });

  it('accepts a token that is older than a day, when it was made to last', async () => {
    const now = Math.floor(time.clock().getTime() / 1000);
    const token = await tokenFor({ expiresAt: now + 7 * 86_400 });
    time.pass(3 * 86_400);
    expect(await here.authenticate(offer(token))).to.include({ role: 'user' });
  });

  it('says 503 and never 401 when the store is away', async () => {
    const stranger = await here.tokens.issue(grantFor(randomUUID()));
    here.store.outage(true);
    expect((await refusal(here.authenticate(offer(stranger)))).type).to.equal('service_unavailable');
    here.store.outage(false);
    expect(await here.authenticate(offer(stranger))).to.include({ role: 'user' });
  });

  describe('an ended session', () => {
    it('is refused by the server that ended it at once, and by another one as soon as the news come', async () => {
      const other = await server(time, stop.signal, here);
      const { userId } = await here.logIn();
      const grant = grantFor(userId);
      const token = await here.tokens.issue(grant);
      await here.authenticate(offer(token));
      await other.authenticate(offer(token));
      await signOut(here, grant.sessionId, userId);
      const isRefused = async (on: Server) => isDomainError(await failure(on.authenticate(offer(token))));
      await until(() => isRefused(other));
      await until(() => isRefused(here));
      expect((await refusal(other.authenticate(offer(token)))).message).to.match(/the session has ended/);
    });

    it('is refused by a server that starts later, from the read model and the log behind it', async () => {
      const { userId } = await here.logIn();
      const [first, second] = [grantFor(userId), grantFor(userId)];
      const { position } = await signOut(here, first.sessionId, userId);
      await signOut(here, second.sessionId, userId);
      const ended = [{ sessionId: first.sessionId, until: isoAfter(isoOf(time.clock()), 86_400_000) }];
      const later = await server(time, stop.signal, here, () => Promise.resolve({ position, ended }));
      for (const grant of [first, second]) {
        expect((await refusal(later.authenticate(offer(await here.tokens.issue(grant))))).message).to.match(/ended/);
      }
    });

    it('is read from the log only behind what the read model has told', async () => {
      const { userId } = await here.logIn();
      const grant = grantFor(userId);
      const { position } = await signOut(here, grant.sessionId, userId);
      const later = await server(time, stop.signal, here, () => Promise.resolve({ position, ended: [] }));
      expect(later.list.isRevoked(grant.sessionId)).to.equal(false);
    });

    it('is known where it was ended before any news come from the log', async () => {
      const { userId } = await here.logIn();
      const list = revocations({
        store: here.store,
        load: nothingYet,
        onUserChanged: () => Promise.resolve(),
        onApiKeyChanged: () => Promise.resolve(),
        clock: time.clock,
        pause: () => turn(),
        logger: silentLogger,
      });
      const signedOut = (): Promise<void> => Promise.resolve();
      const endpoint = logout({ sessions: here.sessions, revocations: list, maxSessionSeconds: 3600, signedOut });
      const caller = await here.authenticate(offer(await here.tokens.issue(grantFor(userId))));
      const call = {
        body: undefined,
        query: undefined,
        params: {},
        cause: causeAt(isoOf(time.clock())),
        requestId: 'request',
        ip: '127.0.0.1',
        header: () => undefined,
        gone: stop.signal,
        keepUntil: () => undefined,
      };
      expect(await endpoint.handle(call, caller)).to.include({ status: 200 });
      expect(list.isRevoked(caller.sessionId)).to.equal(true);
    });

    it('is still heard of after the store has been away', async () => {
      const other = await server(time, stop.signal, here);
      const { userId } = await here.logIn();
      const grant = grantFor(userId);
      const token = await here.tokens.issue(grant);
      await other.authenticate(offer(token));
      here.store.outage(true);
      await until(() => Promise.resolve(!other.list.isLive()));
      here.store.outage(false);
      await signOut(here, grant.sessionId, userId);
      await until(async () => isDomainError(await failure(other.authenticate(offer(token)))));
      expect(other.list.isLive()).to.equal(true);
    });

    it('is forgotten when no token of it can live', () => {
      const at = isoOf(time.clock());
      here.list.add({ sessionId: 'short', until: isoAfter(at, 60_000) });
      expect(here.list.isRevoked('short')).to.equal(true);
      time.pass(3600);
      here.list.add({ sessionId: 'long', until: isoAfter(at, 7_200_000) });
      expect([here.list.isRevoked('short'), here.list.isRevoked('long')]).to.deep.equal([false, true]);
    });
  });

  describe('the role', () => {
    const changeRole = (userId: string, role: 'user' | 'admin') =>
      here.users.handle(
        userId,
        { type: 'ChangeRole', key: `role:${randomUUID()}`, data: { userId, role, at: isoOf(time.clock()) } },
        causeAt(),
      );

    it('is the user’s own and not the token’s', async () => {
      expect(await here.authenticate(offer(await tokenFor({ role: 'admin' })))).to.include({ role: 'user' });
    });

    it('is read afresh for administrators’ paths, and known elsewhere as soon as the news come', async () => {
      const rival = identityRig(here.store, here.vault);
      const token = await tokenFor();
      const { userId } = await here.authenticate(offer(token));
      const data = { userId, role: 'admin' as const, at: isoOf(time.clock()) };
      await rival.users.handle(userId, { type: 'ChangeRole', key: 'role:1', data }, causeAt());
      expect(await here.authenticate(offer(token, { path: '/api/admin/users' }))).to.include({ role: 'admin' });
      await changeRole(userId, 'user');
      const other = await server(time, stop.signal, here);
      expect(await other.authenticate(offer(token))).to.include({ role: 'user' });
      await changeRole(userId, 'admin');
      await until(async () => (await other.authenticate(offer(token))).role === 'admin');
    });
  });

  describe('a good token of another server', () => {
    it('makes its user here, once, also for twenty requests at once', async () => {
      const foreign = randomUUID();
      const token = await here.tokens.issue(grantFor(foreign, { role: 'admin' }));
      const callers = await Promise.all(Array.from({ length: 20 }, () => here.authenticate(offer(token))));
      expect(new Set(callers.map(({ userId }) => userId))).to.have.length(1);
      expect(callers[0]).to.include({ role: 'user' });
      expect(here.said('user-')).to.deep.equal(['UserRegistered']);
      expect(here.said('creditAccount-')).to.deep.equal(['CreditAccountOpened', 'PromoCreditsGranted']);
    });

    it('finds the user by subject, else by the verified address', async () => {
      const { userId } = await here.logIn();
      const byEmail = await here.tokens.issue(grantFor(randomUUID(), { subject: 'auth0|other' }));
      expect(await here.authenticate(offer(byEmail))).to.include({ userId });
      const unverified = await here.tokens.issue(grantFor(randomUUID(), { subject: 'github|other' }));
      expect((await here.authenticate(offer(unverified))).userId).not.to.equal(userId);
    });

    it('is refused when it does not say whose it is', async () => {
      const token = await here.tokens.issue(grantFor(randomUUID(), { subject: undefined }));
      expect((await refusal(here.authenticate(offer(token)))).message).to.match(/sign in again/);
    });

    it('never brings a removed user back, not even after they came back as somebody new', async () => {
      const token = await tokenFor();
      const { userId } = await here.authenticate(offer(token));
      const data = { userId, at: isoOf(time.clock()) };
      await here.users.handle(userId, { type: 'RemoveUser', key: `remove:${userId}`, data }, causeAt());
      expect((await refusal(here.authenticate(offer(token)))).message).to.match(/has been removed/);
      const other = await server(time, stop.signal, here);
      expect((await refusal(other.authenticate(offer(token)))).message).to.match(/has been removed/);
      await here.logIn();
      expect((await refusal(here.authenticate(offer(token)))).message).to.match(/has been removed/);
    });
  });
});
