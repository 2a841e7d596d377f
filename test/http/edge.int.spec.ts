import { expect } from 'chai';
import type { Cause } from '../../src/kernel/message.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { empty, json, publicEndpoint, userEndpoint } from '../../src/http/endpoint.ts';
import type { Endpoint } from '../../src/http/endpoint.ts';
import { apiPrefixesFor, buildHttp } from '../../src/http/http.ts';
import type { Credentials } from '../../src/http/authenticator.ts';
import { memoryLimiter } from '../../infra/ephemeral/memory-limiter.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { eventually } from '../support/eventually.ts';
import { ada, byName, startHttp } from '../support/given-http.ts';
import type { HttpUnderTest } from '../support/given-http.ts';
import { memoryLogger } from '../support/memory-logger.ts';

const seen: Credentials[] = [];
const log = memoryLogger();

const endpoints: readonly Endpoint[] = [
  publicEndpoint({
    method: 'GET',
    path: '/auth/callback',
    limit: 'login',
    handle: () => Promise.resolve({ kind: 'redirect', location: 'https://site.example/done' }),
  }),
  publicEndpoint({
    method: 'GET',
    path: '/page',
    limit: 'public',
    handle: () => Promise.resolve({ kind: 'html', status: 200, body: '<p>hello</p>' }),
  }),
  publicEndpoint({
    method: 'GET',
    path: '/public/context',
    limit: 'public',
    handle: ({ cause, ip, requestId, header }) =>
      Promise.resolve(json(200, { cause, ip, requestId, lang: header('accept-language') ?? null })),
  }),
  publicEndpoint({
    method: 'GET',
    path: '/public/fault',
    limit: 'public',
    handle: () => Promise.reject(new Error('the disk is full')),
  }),
  userEndpoint({
    method: 'GET',
    path: '/api/jobs/:jobId',
    limit: 'read',
    handle: ({ params, cause }) => Promise.resolve(json(200, { ...params, cause })),
  }),
  userEndpoint({ method: 'POST', path: '/api/auth/logout', limit: 'write', handle: () => Promise.resolve(empty()) }),
];

describe('the HTTP edge', () => {
  let under: HttpUnderTest;
  before(async () => {
    under = await startHttp(endpoints, {
      logger: log.logger,
      hashAddress: (ip) => `hash of ${ip}`,
      authenticator: (credentials) => {
        seen.push(credentials);
        return byName(credentials);
      },
    });
  });
  after(() => under.close());

  const call = (path: string, init: RequestInit = {}) => fetch(under.url + path, { redirect: 'manual', ...init });
  const asAda = { Authorization: 'Bearer ada' };
  const lineOf = (requestId: string) =>
    eventually(`a log line for ${requestId}`, () =>
      log.lines.find(({ message, fields }) => message === 'request' && fields['requestId'] === requestId),
    );

  describe('request ids', () => {
    it('keeps a sane one and makes one otherwise', async () => {
      const kept = await call('/page', { headers: { 'X-Request-Id': 'trace-0123:abc.def' } });
      expect(kept.headers.get('x-request-id')).to.equal('trace-0123:abc.def');
      for (const bad of ['short', 'with space inside', 'x'.repeat(200), '<script>alert(1)</script>']) {
        const made = await call('/page', { headers: { 'X-Request-Id': bad } });
        expect(made.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
      }
    });

    it('puts the request into the cause, with a UUID to correlate by', async () => {
      const answer = await call('/api/jobs/1', { headers: { ...asAda, 'X-Request-Id': 'my-request-1' } });
      const { cause } = (await answer.json()) as { cause: Cause };
      expect(cause).to.deep.include({
        requestId: 'my-request-1',
        correlationId: uuidOf('request|my-request-1'),
        actor: { kind: 'user', id: ada.userId },
        sessionId: ada.sessionId,
        ipHash: 'hash of 127.0.0.1',
      });
      expect(new Date(cause.at).toISOString()).to.equal(cause.at);
      const open = (await (await call('/public/context')).json()) as { cause: Cause; requestId: string; ip: string };
      expect(open.cause.actor).to.deep.equal({ kind: 'system', id: 'system' });
      expect(open.cause.correlationId).to.equal(open.requestId);
      expect(open.ip).to.equal('127.0.0.1');
    });
  });

  describe('cross-origin rules', () => {
    const origin = 'https://app.example';
    const thenReadable = (response: Response) => {
      expect(response.headers.get('access-control-allow-origin')).to.equal(origin);
      expect(response.headers.get('access-control-allow-credentials')).to.equal('true');
      expect(response.headers.get('access-control-expose-headers')).to.match(/Retry-After/);
      expect(response.headers.get('vary')).to.match(/Origin/i);
    };

    it('lets browsers read answers and every kind of error', async () => {
      for (const path of ['/page', '/nowhere', '/api/jobs/1', '/public/fault', '/public/%zz']) {
        thenReadable(await call(path, { headers: { Origin: origin } }));
      }
      thenReadable(await call('/page', { method: 'DELETE', headers: { Origin: origin } }));
    });

    it('answers a preflight without proof', async () => {
      const response = await call('/api/jobs/1', {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': 'GET',
          'Access-Control-Request-Headers': 'authorization,x-device-id',
        },
      });
      thenReadable(response);
      expect(response.status).to.equal(204);
      expect(response.headers.get('access-control-allow-headers')).to.equal('authorization,x-device-id');
      expect(response.headers.get('access-control-allow-methods')).to.match(/DELETE/);
    });

    it('says nothing to an origin that is not listed', async () => {
      const strict = await startHttp(endpoints, { corsOrigins: ['https://site.example'] });
      const ask = async (from: string) =>
        (await fetch(`${strict.url}/page`, { headers: { Origin: from } })).headers.get('access-control-allow-origin');
      expect(await ask('https://evil.example')).to.equal(null);
      expect(await ask('https://site.example')).to.equal('https://site.example');
      await strict.close();
    });
  });

  describe('paths', () => {
    it('serves /api under /api-key too', async () => {
      for (const path of ['/api/jobs/7', '/api-key/jobs/7', '/api-key/jobs/7/']) {
        const answer = await call(path, { headers: asAda });
        expect(((await answer.json()) as { jobId: string }).jobId).to.equal('7');
      }
    });

    it('serves /api under /api/v1 instead when versioned', async () => {
      const versioned = await startHttp(endpoints, { apiPrefixes: apiPrefixesFor(true) });
      const status = async (path: string) => (await fetch(versioned.url + path, { headers: asAda })).status;
      expect(await status('/api/v1/jobs/7')).to.equal(200);
      expect(await status('/api-key/jobs/7')).to.equal(200);
      expect(await status('/api/jobs/7')).to.equal(404);
      await versioned.close();
    });

    it('tells the authenticator the path as endpoints write it', async () => {
      seen.length = 0;
      for (const path of ['/api/auth/logout', '/api-key/auth/logout/?x=1']) {
        const answer = await call(path, {
          method: 'POST',
          headers: { ...asAda, 'X-Device-ID': 'D1', 'X-API-Key': 'k' },
        });
        expect(answer.status).to.equal(204);
      }
      expect(seen.map(({ path, method }) => `${method} ${path}`)).to.deep.equal([
        'POST /api/auth/logout',
        'POST /api/auth/logout',
      ]);
      expect(seen[0]).to.deep.include({
        deviceId: 'D1',
        apiKey: 'k',
        authorization: 'Bearer ada',
        tokenBinding: undefined,
      });
    });

    it('answers HEAD where GET is, and a slash at the end', async () => {
      const head = await call('/page/', { method: 'HEAD' });
      expect(head.status).to.equal(200);
      expect(head.headers.get('content-length')).to.equal('12');
      expect(await head.text()).to.equal('');
    });

    it('refuses to be built with two endpoints for one path', () => {
      const twin = userEndpoint({
        method: 'GET',
        path: '/api/jobs/:id',
        limit: 'read',
        handle: () => Promise.resolve(empty()),
      });
      const options = {
        authenticator: byName,
        limiter: memoryLimiter(),
        logger: silentLogger,
        clock: () => new Date(),
      };
      expect(() =>
        buildHttp({ ...options, corsOrigins: [], trustedProxies: 0, endpoints: [...endpoints, twin] }),
      ).to.throw('two endpoints answer GET /api/jobs/:');
    });
  });

  describe('replies', () => {
    it('redirects, shows pages with a policy of their own, and answers empty', async () => {
      const redirect = await call('/auth/callback?code=secret');
      expect([redirect.status, redirect.headers.get('location')]).to.deep.equal([302, 'https://site.example/done']);
      const page = await call('/page');
      expect(page.headers.get('content-type')).to.match(/^text\/html/);
      expect(page.headers.get('content-security-policy')).to.match(/style-src/);
      const api = await call('/public/context', { headers: { 'Accept-Language': 'de' } });
      expect(api.headers.get('content-security-policy')).to.match(/^default-src 'none'/);
      expect(((await api.json()) as { lang: string }).lang).to.equal('de');
      expect(await (await call('/api/auth/logout', { method: 'POST', headers: asAda })).text()).to.equal('');
    });
  });

  describe('the access log', () => {
    it('holds one line a request, with the pattern and neither path, query nor token', async () => {
      const answer = await call('/api/jobs/very-secret-job?code=secret-code', { headers: asAda });
      const { level, fields } = await lineOf(answer.headers.get('x-request-id') ?? '');
      expect(level).to.equal('info');
      expect(fields).to.include({ method: 'GET', route: '/api/jobs/:jobId', status: 200, userId: ada.userId });
      expect(fields['ms']).to.be.a('number').that.is.at.least(0);
      expect(JSON.stringify(log.lines)).not.to.match(/secret|Bearer|example\.test/);
    });

    it('names the type of an error', async () => {
      const answer = await call('/api/jobs/7');
      const { fields } = await lineOf(answer.headers.get('x-request-id') ?? '');
      expect(fields).to.include({ status: 401, errorType: 'authentication_error' });
    });

    it('holds the cause of a fault, once, under the id that the caller was told', async () => {
      const answer = await call('/public/fault');
      const { request_id } = (await answer.json()) as { request_id: string };
      await lineOf(request_id);
      const faults = log.lines.filter(({ level, fields }) => level === 'error' && fields['requestId'] === request_id);
      expect(faults).to.have.length(1);
      expect(faults[0]?.fields['err']).to.be.an('error').with.property('message', 'the disk is full');
    });
  });
});
