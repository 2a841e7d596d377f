import { expect } from 'chai';
import { randomBytes, randomUUID } from 'node:crypto';
import { apiKeyAggregate } from '../../commands/api-keys/index.ts';
import { keyRing } from '../../commands/api-keys/key-ring.ts';
import { startSandbox, type Sandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { apiKeysProjection } from '../../projections/api-keys/api-keys.projection.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { activeApiKeys } from '../../queries/api-keys/active-api-keys.query.ts';
import { keyOrTokenAuthenticator } from '../../src/http/auth/api-key-authenticator.ts';
import { adminEndpoint, json, userEndpoint } from '../../src/http/endpoint.ts';
import { apiKeyEndpoints } from '../../src/http/routes/api-keys/index.ts';
import { chatCompletions } from '../../src/http/routes/llm/chat-completions.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { givenCompletions, type GivenCompletions } from '../completions/given-completions.ts';
import { ada, byName, startHttp, type HttpUnderTest } from '../support/given-http.ts';

type Answer = Readonly<{ status: number; body: Readonly<Record<string, unknown>> }>;
type Made = Readonly<{ id: string; key: string }>;

const echo = (method: 'GET' | 'POST', path: string, scope?: 'models' | 'account') =>
  userEndpoint({
    method,
    path,
    limit: 'read',
    ...(scope === undefined ? {} : { scope }),
    handle: ({ cause }, caller) => Promise.resolve(json(200, { cause, caller })),
  });

describe('API keys over HTTP', function () {
  this.timeout(60_000);
  const vault = sqliteVault({ masterKey: '07'.repeat(32), path: ':memory:' });
  let now = (): Date => new Date();
  const clock = (): Date => now();
  let sandbox: Sandbox;
  let upstream: ChatUpstream;
  let given: GivenCompletions;
  let readSide: ReadSide;
  let http: HttpUnderTest;

  before(async () => {
    sandbox = await startSandbox({ port: 0 });
    upstream = sandboxUpstream({ baseUrl: sandbox.url, clock });
    given = await givenCompletions(upstream);
    const { store, answers } = given;
    readSide = await startReadSide([apiKeysProjection, usageProjection], { store, vault });
    const { queries } = readSide;
    const handler = commandHandler(apiKeyAggregate, { store, logger: silentLogger, pause: () => Promise.resolve() });
    const ring = keyRing({
      handler,
      vault,
      activeKeys: (userId, at) => queries.asUser(userId, activeApiKeys(userId, at)),
      newId: randomUUID,
      random: randomBytes,
    });
    const users = {
      state: (userId: string) =>
        Promise.resolve({
          status: 'registered',
          userId,
          role: 'admin',
          identities: [],
          profile: {
            email: { k: '', iv: '', ct: '', tag: '' },
            emailDigest: '',
            emailHash: null,
            name: null,
            nameDigest: null,
          },
        } as const),
    };
    http = await startHttp(
      [
        ...apiKeyEndpoints({ ring, queries, clock }),
        chatCompletions({ answers }),
        echo('GET', '/api/probe', 'models'),
        echo('GET', '/api/people-only'),
        adminEndpoint({
          method: 'GET',
          path: '/api/admin/all',
          limit: 'read',
          scope: 'models',
          handle: () => Promise.resolve(json(200, {})),
        }),
      ],
      { clock, authenticator: keyOrTokenAuthenticator({ keys: handler, users, clock, logger: silentLogger }, byName) },
    );
  });

  after(async () => {
    await given.completions.shutdown({ graceMs: 0, limitMs: 2000 });
    await http.close();
    await readSide.close();
    await upstream.close();
    await sandbox.stop();
    await vault.close();
  });

  afterEach(() => {
    now = () => new Date();
  });

  type Options = Readonly<{ as?: string; body?: unknown; headers?: Readonly<Record<string, string>> }>;

  const call = async (method: string, path: string, { as = 'ada', body, headers }: Options = {}): Promise<Answer> => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
  };

  const make = async (wish: object = {}, options: Options = {}): Promise<Made> => {
    const { status, body } = await call('POST', '/api/api-keys', { body: { name: 'editor', ...wish }, ...options });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body as Made;
  };

  const listed = async (as = 'ada') => {
    const { body } = await call('GET', '/api/api-keys', { as });
    return body['keys'] as readonly Readonly<Record<string, unknown>>[];
  };
  const mine = async (id: string, as?: string) => (await listed(as)).find((key) => key['id'] === id);

  const chat = (key: string, more: object = {}) =>
    call('POST', '/api/llm/chat/completions', {
      as: key,
      body: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hello' }], max_tokens: 20, ...more },
    });

  it('are told once, with everything about them, and listed without their text', async () => {
    const expiresAt = '2099-01-01T01:00:00+01:00';
    const { status, body } = await call('POST', '/api/api-keys', {
      body: {
        name: ' my editor ',
        scopes: ['chat', 'chat', 'models'],
        budget: { limitUsd: '5.10', period: 'month' },
        expiresAt,
      },
    });
    expect(status).to.equal(201);
    const { id, key, createdAt, ...rest } = body as Record<string, string>;
    expect(key).to.match(new RegExp(`^ptc_${id!.replaceAll('-', '')}_[0-9A-Za-z]{49}$`));
    expect(rest).to.deep.equal({
      name: 'my editor',
      prefix: `ptc_${id!.slice(0, 8)}`,
      lastFour: key!.slice(-10, -6),
      scopes: ['chat', 'models'],
      budget: { limitUsd: '5.1', period: 'month' },
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
    const shown = await mine(id!);
    expect(JSON.stringify(shown)).not.to.contain(key);
    expect(shown).to.deep.include({
      name: 'my editor',
      requests: 0,
      lastUsedAt: null,
      isExpired: false,
      spent: { todayUsd: '0', thisMonthUsd: '0', totalUsd: '0' },
    });
    expect(shown?.['budget']).to.deep.include({ limitUsd: '5.1', period: 'month', spentUsd: '0', remainingUsd: '5.1' });
    expect(Date.parse(shown?.['createdAt'] as string)).to.equal(Date.parse(createdAt!));
  });

  it('are good for tools of language models when nothing else is said, and without a budget', async () => {
    const { id } = await make();
    expect(await mine(id)).to.deep.include({ scopes: ['chat', 'audio', 'models'], budget: null, expiresAt: null });
  });

  describe('are not made', () => {
    const cases: readonly (readonly [string, object])[] = [
      ['without a name', { name: ' ' }],
      ['with a name of control characters', { name: 'a\u0000b' }],
      ['for nothing', { scopes: [] }],
      ['for what there is not', { scopes: ['admin'] }],
      ['with a budget below zero', { budget: { limitUsd: '-1', period: 'day' } }],
      ['with a budget finer than a micro-dollar', { budget: { limitUsd: '0.0000001', period: 'day' } }],
      ['with a number finer than a micro-dollar', { budget: { limitUsd: 1e-7, period: 'day' } }],
      ['with a budget that is no number', { budget: { limitUsd: 'much', period: 'day' } }],
      ['with a budget for a week', { budget: { limitUsd: '1', period: 'week' } }],
      ['with a misspelt budget', { budgett: { limitUsd: '1', period: 'day' } }],
      ['with an end that is over', { expiresAt: '2020-01-01T00:00:00Z' }],
      ['with an end that is no time', { expiresAt: 'tomorrow' }],
    ];
    for (const [what, wish] of cases) {
      it(what, async () => {
        const { status, body } = await call('POST', '/api/api-keys', { body: { name: 'editor', ...wish } });
        expect([status, body['error_type']]).to.deep.equal([400, 'validation_error']);
      });
    }

    it('twice for one Idempotency-Key', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const { id } = await make({}, { headers });
      const { status, body } = await call('POST', '/api/api-keys', { body: { name: 'editor' }, headers });
      expect([status, body['error_type'], body['error_details']]).to.deep.equal([409, 'already_exists', { id }]);
    });
  });

  it('read a number by the digits that it is written with', async () => {
    for (const [limitUsd, exact] of [
      [0.1, '0.1'],
      [0.000001, '0.000001'],
      [12, '12'],
      ['0', '0'],
    ] as const) {
      const { id } = await make({ budget: { limitUsd, period: 'total' } });
      expect(((await mine(id))?.['budget'] as Record<string, unknown>)['limitUsd']).to.equal(exact);
    }
  });

  it('take another budget, or none', async () => {
    const { id } = await make();
    const put = (budget: unknown) => call('PUT', `/api/api-keys/${id}/budget`, { body: { budget } });
    expect((await put({ limitUsd: 2, period: 'day' })).body).to.deep.equal({
      id,
      budget: { limitUsd: '2', period: 'day' },
    });
    expect((await mine(id))?.['budget']).to.deep.include({ limitUsd: '2', period: 'day' });
    expect((await put(null)).body).to.deep.equal({ id, budget: null });
    expect((await mine(id))?.['budget']).to.equal(null);
    expect((await call('PUT', `/api/api-keys/${id}/budget`, { body: {} })).status).to.equal(400);
  });

  it('are revoked for good, and quietly a second time', async () => {
    const { id, key } = await make();
    expect((await call('GET', '/api/probe', { as: key })).status).to.equal(200);
    expect((await call('DELETE', `/api/api-keys/${id}`)).status).to.equal(204);
    expect((await call('DELETE', `/api/api-keys/${id.toUpperCase()}`)).status).to.equal(204);
    expect(await mine(id)).to.equal(undefined);
    const { status, body } = await call('GET', '/api/probe', { as: key });
    expect([status, body['error_type']]).to.deep.equal([401, 'authentication_error']);
    expect(body['message']).to.contain('has been revoked');
    expect((await call('PUT', `/api/api-keys/${id}/budget`, { body: { budget: null } })).status).to.equal(404);
  });

  it('are nobody else’s', async () => {
    const { id } = await make();
    expect(await mine(id, 'grace')).to.equal(undefined);
    for (const whose of [id, randomUUID()]) {
      expect((await call('DELETE', `/api/api-keys/${whose}`, { as: 'grace' })).status).to.equal(404);
      const body = { budget: null };
      expect((await call('PUT', `/api/api-keys/${whose}/budget`, { as: 'grace', body })).status).to.equal(404);
    }
    expect((await call('DELETE', '/api/api-keys/1')).status).to.equal(404);
  });

  describe('as proof of a caller', () => {
    it('say who it is, and the log says that it was the key', async () => {
      const { id, key } = await make();
      for (const headers of [{ 'x-api-key': key }, { authorization: `ApiKey ${key}` }, {}]) {
        const { body } = await call('GET', '/api/probe', { as: key, headers });
        expect(body['caller']).to.deep.include({ userId: ada.userId, role: 'user' });
        const { actor, sessionId } = body['cause'] as Record<string, unknown>;
        expect([actor, sessionId]).to.deep.equal([{ kind: 'apiKey', id }, undefined]);
      }
    });

    it('are refused where they lack the scope, where people are needed, and where administrators are', async () => {
      const { key } = await make({ scopes: ['chat'] });
      const all = await make({ scopes: ['chat', 'audio', 'models', 'account'] });
      const refused = async (path: string, as: string) => {
        const { status, body } = await call('GET', path, { as });
        expect([status, body['error_type']], path).to.deep.equal([403, 'forbidden']);
        return body;
      };
      expect((await refused('/api/probe', key))['message']).to.contain("lacks the scope 'models'");
      for (const path of ['/api/people-only', '/api/api-keys', '/api/admin/all']) await refused(path, all.key);
      expect((await call('POST', '/api/api-keys', { as: all.key, body: { name: 'x' } })).status).to.equal(403);
    });

    it('are refused when wrong, whatever token comes beside', async () => {
      const { key } = await make();
      const wrong = key.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
      for (const headers of [{ 'x-api-key': wrong }, { 'x-api-key': 'x' }]) {
        expect((await call('GET', '/api/probe', { headers })).status).to.equal(401);
      }
    });
  });

  describe('with a budget', () => {
    it('pay for what they ask, are listed with it, and stop at the budget', async () => {
      const { id, key } = await make({ budget: { limitUsd: '0.01', period: 'day' } });
      expect((await chat(key)).status).to.equal(200);
      const charge = given.last('ReservationCaptured');
      expect(charge?.data.work.apiKeyId).to.equal(id);
      const cost = Number(charge?.data.metered.cost) / 1e6;
      const shown = await mine(id);
      const budget = shown?.['budget'] as Record<string, string>;
      expect(Number(budget['spentUsd'])).to.equal(cost);
      expect(Number(budget['spentUsd']) + Number(budget['remainingUsd'])).to.be.closeTo(0.01, 1e-9);
      expect(shown?.['requests']).to.equal(1);

      now = () => new Date(Date.now() + 40 * 86_400_000);
      const later = await mine(id);
      expect((later?.['budget'] as Record<string, string>)['spentUsd'], 'another day').to.equal('0');
      expect(later?.['spent']).to.deep.equal({ todayUsd: '0', thisMonthUsd: '0', totalUsd: budget['spentUsd'] });
      now = () => new Date();

      await call('PUT', `/api/api-keys/${id}/budget`, {
        body: { budget: { limitUsd: budget['spentUsd'], period: 'day' } },
      });
      const { status, body } = await chat(key);
      expect([status, body['error_type']]).to.deep.equal([402, 'spending_limit_exceeded']);
      const { rule } = body['error_details'] as Record<string, unknown>;
      expect(rule).to.deep.equal({ scope: `apiKey:${id}`, limitUsd: budget['spentUsd'], period: 'day' });
      expect((await chat('ada')).status, 'the user without the key').to.equal(200);
    });

    it('never let more through at once than the budget covers', async () => {
      const { id, key } = await make({ budget: { limitUsd: '0.000200', period: 'total' } });
      const prompt = [{ role: 'user', content: '[[sandbox latency=300 tokens=10]] all at once' }];
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async () => (await chat(key, { messages: prompt, max_tokens: 10 })).status),
      );
      expect(new Set(statuses), 'some pass, some do not').to.deep.equal(new Set([200, 402]));
      const { spentUsd } = (await mine(id))?.['budget'] as Record<string, string>;
      expect(Number(spentUsd)).to.be.greaterThan(0).and.at.most(0.0002);
    });
  });
});
