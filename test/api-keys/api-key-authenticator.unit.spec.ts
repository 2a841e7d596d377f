import { expect } from 'chai';
import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { apiKeyAggregate } from '../../commands/api-keys/index.ts';
import { keyRing, MOST_KEYS, type KeyWish } from '../../commands/api-keys/key-ring.ts';
import { newKeyText } from '../../commands/api-keys/key-text.ts';
import { keyOrTokenAuthenticator } from '../../src/http/auth/api-key-authenticator.ts';
import { keyNow } from '../../src/http/auth/key-now.ts';
import { revocations } from '../../src/http/auth/revocations.ts';
import type { Credentials } from '../../src/http/authenticator.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { sessionWatch } from '../../src/ws/session-watch.ts';
import { ada, causeAt, failure, identityRig, movableClock, START, type IdentityRig } from '../identity/rig.ts';
import { byName } from '../support/given-http.ts';
import { memoryLogger } from '../support/memory-logger.ts';

/** One server: its keys, its proof of callers and its news from the log, which others may share. */
const server = async (time: ReturnType<typeof movableClock>, signal: AbortSignal, shared?: IdentityRig) => {
  const rig = shared === undefined ? identityRig() : identityRig(shared.store, shared.vault);
  const { logger, lines } = memoryLogger();
  const handler = commandHandler(apiKeyAggregate, { store: rig.store, logger, pause: () => turn() });
  const list = revocations({
    store: rig.store,
    load: () => Promise.resolve({ position: undefined, ended: [] }),
    onUserChanged: async (userId) => {
      await rig.users.state(userId);
    },
    onApiKeyChanged: async (keyId) => {
      await handler.state(keyId);
    },
    clock: time.clock,
    pause: () => turn(),
    logger: silentLogger,
  });
  await list.start(signal);
  let active = 0;
  const ring = keyRing({
    handler,
    vault: rig.vault,
    activeKeys: () => Promise.resolve(active),
    newId: randomUUID,
    random: randomBytes,
  });
  const deps = { keys: handler, users: rig.users, clock: time.clock, logger };
  const authenticate = keyOrTokenAuthenticator(deps, byName);
  const full = (): void => {
    active = MOST_KEYS;
  };
  return { ...rig, handler, list, ring, authenticate, full, lines };
};

type Server = Awaited<ReturnType<typeof server>>;

const nothing: Credentials = {
  authorization: undefined,
  apiKey: undefined,
  deviceId: undefined,
  tokenBinding: undefined,
  method: 'GET',
  path: '/v1/models',
};

const usual: KeyWish = { name: 'editor', scopes: ['chat'], budget: null, expiresAt: null, idempotencyKey: undefined };

const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error = await failure(promise);
  if (!isDomainError(error)) return expect.fail(`not refused but ${String(error)}`);
  return `${error.errorType}: ${error.detail}`;
};

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (let turns = 0; turns < 1000; turns += 1) {
    if (await holds()) return;
    await turn();
  }
  expect.fail('what was waited for did not happen');
};

describe('callers with an API key', () => {
  let time = movableClock();
  let stop = new AbortController();
  let here: Server;
  let userId = '';

  beforeEach(async () => {
    time = movableClock();
    stop = new AbortController();
    here = await server(time, stop.signal);
    ({ userId } = await here.logIn());
  });
  afterEach(() => stop.abort());

  const make = async (wish: Partial<KeyWish> = {}): Promise<{ keyId: string; text: string }> => {
    const { keyId, key } = await here.ring.create(userId, { ...usual, ...wish }, causeAt());
    return { keyId, text: key.text };
  };
  const byKey = (text: string, on: Server = here) => on.authenticate({ ...nothing, apiKey: text });
  const revoke = (keyId: string, on: Server = here) => on.ring.revoke({ keyId, userId }, causeAt());

  it('are known, whichever way the key comes', async () => {
    const { keyId, text } = await make({ budget: { limit: 5n, period: 'day' } });
    const apiKey = { keyId, scopes: ['chat'], budget: { limit: 5n, period: 'day' } };
    for (const offered of [
      { apiKey: text },
      { authorization: `ApiKey ${text}` },
      { authorization: `Bearer ${text}` },
      { apiKey: text, authorization: 'Bearer ada' },
    ]) {
      const caller = await here.authenticate({ ...nothing, ...offered });
      expect(caller).to.deep.include({ userId, sessionId: `apiKey:${keyId}`, jti: keyId, role: 'user', apiKey });
    }
  });

  it('are no administrators, even where their user is one', async () => {
    const { userId: admin } = await here.logIn({ ...ada, role: 'admin' });
    const { key } = await here.ring.create(admin, usual, causeAt());
    expect(await byKey(key.text)).to.include({ userId: admin, role: 'user' });
  });

  it('leave everything else to tokens, but a bad key never falls back to one', async () => {
    expect(await here.authenticate({ ...nothing, authorization: 'Bearer ada' })).to.include({ role: 'user' });
    for (const apiKey of ['', 'abc', 'ptc_abc']) {
      const refused = await refusal(here.authenticate({ ...nothing, apiKey, authorization: 'Bearer ada' }));
      expect(refused).to.match(/^authentication_error: this is no whole API key/);
    }
  });

  it('cost no I/O once this process has seen the key', async () => {
    const { text } = await make();
    const there = await server(time, stop.signal, here);
    await byKey(text, there);
    here.store.outage(true);
    expect(await byKey(text, there)).to.include({ userId });
    here.store.outage(false);
  });

  it('are told 503 and never 401 when the store is away', async () => {
    const { text } = await make();
    const there = await server(time, stop.signal, here);
    here.store.outage(true);
    expect(await refusal(byKey(text, there))).to.match(/^service_unavailable/);
    here.store.outage(false);
  });

  describe('are refused', () => {
    it('with a key that nobody made, and with another secret, in the same words', async () => {
      const { keyId } = await make();
      const other = newKeyText(keyId, new Uint8Array(32).fill(1)).text;
      const nobodys = newKeyText(randomUUID(), new Uint8Array(32).fill(1)).text;
      expect(await refusal(byKey(other))).to.match(/^authentication_error: this API key is not known here/);
      expect(await refusal(byKey(nobodys))).to.equal(await refusal(byKey(other)));
    });

    it('once the key has expired, and not before', async () => {
      const { text } = await make({ expiresAt: new Date(Date.parse(START) + 10_000).toISOString() });
      time.pass(9);
      expect(await byKey(text)).to.include({ userId, tokenExpiresAt: Date.parse(START) / 1000 + 10 });
      time.pass(1);
      expect(await refusal(byKey(text))).to.match(/^authentication_error: this API key has expired/);
    });

    it('once it is revoked: here at once, elsewhere as soon as the news come', async () => {
      const { keyId, text } = await make();
      const there = await server(time, stop.signal, here);
      await byKey(text, there);
      await revoke(keyId);
      expect(await refusal(byKey(text))).to.match(/^authentication_error: this API key has been revoked/);
      await until(async () => (await failure(byKey(text, there))) !== undefined);
      expect(await refusal(byKey(text, there))).to.match(/has been revoked/);
    });

    it('once their user is removed', async () => {
      const { text } = await make();
      const there = await server(time, stop.signal, here);
      await byKey(text, there);
      await here.users.handle(userId, { type: 'RemoveUser', key: 'remove', data: { userId, at: START } }, causeAt());
      expect(await refusal(byKey(text))).to.match(/^authentication_error: this account has been removed/);
      await until(async () => (await failure(byKey(text, there))) !== undefined);
    });
  });

  it('follow a changed budget on every instance', async () => {
    const { keyId, text } = await make();
    const there = await server(time, stop.signal, here);
    expect((await byKey(text, there)).apiKey?.budget).to.equal(null);
    await here.ring.changeBudget({ keyId, userId }, { limit: 9n, period: 'month' }, causeAt());
    expect((await byKey(text)).apiKey?.budget).to.deep.equal({ limit: 9n, period: 'month' });
    await until(async () => (await byKey(text, there)).apiKey?.budget?.limit === 9n);
  });

  it('follow it also on connections that were open before', async () => {
    const { keyId, text } = await make();
    const there = await server(time, stop.signal, here);
    const opened = await byKey(text, there);
    const now = keyNow(there.handler);
    expect((await now(opened)).apiKey?.budget).to.equal(null);
    await here.ring.changeBudget({ keyId, userId }, { limit: 9n, period: 'month' }, causeAt());
    await until(async () => (await now(opened)).apiKey?.budget?.limit === 9n);
    await revoke(keyId);
    await until(async () => (await failure(now(opened))) !== undefined);
    const { apiKey: _none, ...signedIn } = opened;
    expect(await now(signedIn)).to.equal(signedIn);
  });

  it('lose their open connections when the key is revoked on another instance', async () => {
    const { keyId, text } = await make();
    const there = await server(time, stop.signal, here);
    const watch = sessionWatch(there.list, time.clock)(await byKey(text, there));
    try {
      await revoke(keyId);
      await new Promise((resolve) => watch.ended.addEventListener('abort', resolve, { once: true }));
    } finally {
      watch.stop();
    }
  });

  describe('making keys', () => {
    it('keeps neither the key nor its name readable, in the log or in the lines', async () => {
      const { text } = await make({ name: 'a very private name' });
      await byKey(text);
      const kept = JSON.stringify(here.store.log().map(({ data, metadata }) => ({ data, metadata })));
      for (const secret of [text, text.slice(-49), text.slice(-49, -6), 'a very private name']) {
        expect(kept).not.to.contain(secret);
        expect(JSON.stringify(here.lines)).not.to.contain(secret);
      }
    });

    it('makes one key for one idempotency key, also on two instances at once', async () => {
      const there = await server(time, stop.signal, here);
      const wish = { ...usual, idempotencyKey: 'once' };
      const results = await Promise.allSettled(
        [here, there, here, there].map((on) => on.ring.create(userId, wish, causeAt())),
      );
      const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      expect(made).to.have.length(1);
      for (const error of refused) expect(isDomainError(error) && error.errorType).to.equal('already_exists');
      expect(here.said('apiKey-')).to.deep.equal(['ApiKeyCreated']);
      expect(await byKey(made[0]!.key.text, there)).to.include({ userId });
    });

    it('makes another key of another user for the same idempotency key', async () => {
      await make({ idempotencyKey: 'once' });
      await here.ring.create(randomUUID(), { ...usual, idempotencyKey: 'once' }, causeAt());
      expect(here.said('apiKey-')).to.have.length(2);
    });

    it('stops at as many as one may have', async () => {
      here.full();
      expect(await refusal(make())).to.match(/^bad_request: at most 50 API keys/);
    });
  });
});
