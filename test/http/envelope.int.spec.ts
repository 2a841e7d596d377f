import { expect } from 'chai';
import { z } from 'zod';
import { json, publicEndpoint, userEndpoint, adminEndpoint } from '../../src/http/endpoint.ts';
import { uuidParams } from '../../src/http/path-params.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { ErrorType } from '../../src/kernel/errors.ts';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import { startHttp } from '../support/given-http.ts';
import type { HttpUnderTest } from '../support/given-http.ts';

const deviceId = '5B0F6C1E-6A5E-4B7E-9D5C-0A4B6C1D2E3F';

const throwing = (path: string, thrown: () => Error) =>
  publicEndpoint({ method: 'GET', path, limit: 'public', handle: () => Promise.reject(thrown()) });

const endpoints = [
  publicEndpoint({
    method: 'POST',
    path: '/public/notes',
    limit: 'public',
    body: z.object({ title: z.string(), pages: z.array(z.object({ text: z.string() })) }),
    handle: ({ body }) => Promise.resolve(json(201, { title: body.title })),
  }),
  publicEndpoint({
    method: 'GET',
    path: '/public/search',
    limit: 'public',
    query: z.object({ q: z.string(), limit: z.coerce.number().int().max(5) }),
    handle: ({ query }) => Promise.resolve(json(200, query)),
  }),
  userEndpoint({
    method: 'GET',
    path: '/api/devices/:deviceId',
    limit: 'read',
    params: uuidParams('deviceId'),
    handle: ({ params, cause }, caller) => Promise.resolve(json(200, { params, cause, email: caller.email })),
  }),
  userEndpoint({
    method: 'GET',
    path: '/api/devices/all',
    limit: 'read',
    handle: () => Promise.resolve(json(200, { all: true })),
  }),
  adminEndpoint({
    method: 'DELETE',
    path: '/api/admin/everything',
    limit: 'write',
    handle: () => Promise.resolve(json(200, {})),
  }),
  ...(
    [
      'credit_insufficient',
      'already_exists',
      'precondition_failed',
      'not_implemented',
      'external_service_error',
    ] as const
  ).map((type: ErrorType) => throwing(`/public/refuse/${type}`, () => new DomainError(type, 'because of a reason'))),
  throwing('/public/fault', () => new Error('password=hunter2 at 10.0.0.7')),
  throwing('/public/store-away', () => new StoreUnavailableError('append', new Error('10.0.0.7'))),
  throwing(
    '/public/database-away',
    () => new Error('query failed', { cause: Object.assign(new Error('x'), { code: '57P01' }) }),
  ),
];

describe('the error envelope', () => {
  let under: HttpUnderTest;
  before(async () => {
    under = await startHttp(endpoints);
  });
  after(() => under.close());

  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(under.url + path, init);
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body };
  };
  const thenProblem = (answer: Awaited<ReturnType<typeof call>>, status: number, type: ErrorType, label: string) => {
    expect(answer.status).to.equal(status);
    expect(answer.headers.get('content-type')).to.match(/^application\/json/);
    expect(answer.body).to.include({ code: status, error_type: type, errorType: type });
    expect(answer.body['message'])
      .to.be.a('string')
      .that.matches(new RegExp(`^${label}: .{10,}`));
    expect(answer.body['request_id']).to.be.a('string').that.equals(answer.headers.get('x-request-id'));
    expect(answer.headers.get('access-control-expose-headers')).to.equal(null);
    expect(answer.headers.get('x-content-type-options')).to.equal('nosniff');
  };
  const bearer = (name: string) => ({ headers: { Authorization: `Bearer ${name}` } });

  it('answers 404 for an unknown path, also below /api without credentials', async () => {
    thenProblem(await call('/nowhere'), 404, 'not_found', 'Not found');
    thenProblem(await call('/api/nowhere'), 404, 'not_found', 'Not found');
  });

  it('answers 405 with Allow for a known path under another method', async () => {
    const answer = await call('/public/notes', { method: 'DELETE' });
    thenProblem(answer, 405, 'method_not_allowed', 'Method not allowed');
    expect(answer.headers.get('allow')).to.equal('POST');
    const read = await call('/public/search', { method: 'PUT' });
    expect(read.headers.get('allow')?.split(', ')).to.have.members(['GET', 'HEAD']);
  });

  it('answers 401 to a caller without proof and one with a wrong proof', async () => {
    for (const init of [{}, bearer('mallory')]) {
      const answer = await call(`/api/devices/${deviceId}`, init);
      thenProblem(answer, 401, 'authentication_error', 'Authentication failed');
      expect(answer.headers.get('www-authenticate')).to.equal('Bearer');
    }
  });

  it('answers 403 to a user who asks for what is the administrator’s', async () => {
    thenProblem(
      await call('/api/admin/everything', { method: 'DELETE', ...bearer('ada') }),
      403,
      'forbidden',
      'Forbidden',
    );
    expect((await call('/api/admin/everything', { method: 'DELETE', ...bearer('grace') })).status).to.equal(200);
  });

  it('tells all that is wrong with a body, with paths', async () => {
    const answer = await call('/public/notes', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ pages: [{ text: 'fine' }, { text: 7 }] }),
    });
    thenProblem(answer, 400, 'validation_error', 'Validation error');
    const { issues } = answer.body['error_details'] as { issues: { in: string; path: string }[] };
    expect(issues.map((issue) => `${issue.in} ${issue.path}`)).to.deep.equal(['body title', 'body pages.1.text']);
  });

  it('tells what is wrong with a query', async () => {
    const answer = await call('/public/search?limit=9');
    thenProblem(answer, 400, 'validation_error', 'Validation error');
    const { issues } = answer.body['error_details'] as { issues: { in: string; path: string }[] };
    expect(issues.map((issue) => `${issue.in} ${issue.path}`)).to.deep.equal(['query q', 'query limit']);
  });

  it('finds nothing where a path parameter is no UUID, and hands on a good one in lower case', async () => {
    thenProblem(await call('/api/devices/seven', bearer('ada')), 404, 'not_found', 'Not found');
    const good = await call(`/api/devices/${deviceId}`, bearer('ada'));
    expect(good.body['params']).to.deep.equal({ deviceId: deviceId.toLowerCase() });
  });

  it('prefers a fixed path to one with a parameter', async () => {
    expect((await call('/api/devices/all', bearer('ada'))).body).to.deep.equal({ all: true });
  });

  it('answers refusals with the status of their kind', async () => {
    thenProblem(await call('/public/refuse/credit_insufficient'), 402, 'credit_insufficient', 'Insufficient credits');
    thenProblem(await call('/public/refuse/already_exists'), 409, 'already_exists', 'Already exists');
    thenProblem(await call('/public/refuse/precondition_failed'), 412, 'precondition_failed', 'Precondition failed');
    thenProblem(await call('/public/refuse/not_implemented'), 501, 'not_implemented', 'Not available');
    thenProblem(
      await call('/public/refuse/external_service_error'),
      502,
      'external_service_error',
      'External service error',
    );
  });

  it('says nothing of the cause of a fault', async () => {
    const answer = await call('/public/fault');
    thenProblem(answer, 500, 'internal_error', 'Internal error');
    expect(JSON.stringify(answer.body)).not.to.match(/hunter2|10\.0\.0\.7|stack/);
  });

  it('answers 503 with Retry-After when a part is away', async () => {
    for (const path of ['/public/store-away', '/public/database-away']) {
      const answer = await call(path);
      thenProblem(answer, 503, 'service_unavailable', 'Temporarily unavailable');
      expect(Number(answer.headers.get('retry-after'))).to.be.at.least(1);
    }
  });

  it('refuses broken percent-encoding and NUL in path and query', async () => {
    for (const path of ['/public/%E0%A4%A', '/public/search?q=%zz&limit=1', '/public/%00']) {
      thenProblem(await call(path), 400, 'bad_request', 'Bad request');
    }
  });
});
