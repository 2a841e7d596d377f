import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { z } from 'zod';
import { json, publicEndpoint } from '../../src/http/endpoint.ts';
import { boundlessRoom, roomOf } from '../../src/http/room.ts';
import { startHttp } from '../support/given-http.ts';
import type { HttpUnderTest } from '../support/given-http.ts';

const LIMIT = 10_000;

const endpoints = [
  publicEndpoint({
    method: 'POST',
    path: '/public/echo',
    limit: 'public',
    body: z.unknown().refine((value) => value !== undefined),
    maxBodyBytes: LIMIT,
    handle: ({ body }) => Promise.resolve(json(200, { body, polluted: 'polluted' in {} })),
  }),
  publicEndpoint({
    method: 'POST',
    path: '/public/optional',
    limit: 'public',
    body: z.object({ a: z.number() }).optional(),
    handle: ({ body }) => Promise.resolve(json(200, { body: body ?? null })),
  }),
  publicEndpoint({
    method: 'POST',
    path: '/public/unread',
    limit: 'public',
    handle: () => Promise.resolve(json(200, { fine: true })),
  }),
];

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('request bodies', () => {
  let under: HttpUnderTest;
  before(async () => {
    under = await startHttp(endpoints, { bodyTimeoutMs: 200 });
  });
  after(() => under.close());

  const post = async (path: string, body: RequestInit['body'], headers: Record<string, string> = {}) => {
    const response = await fetch(under.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: body ?? null,
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  /** Sends bytes as they are and reads until the server closes or `until` is seen. */
  const raw = async (text: string, until: RegExp, server = under): Promise<string> => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (until.test(seen)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.write(text);
    await once(socket, 'close');
    return seen;
  };

  const cases: readonly (readonly [string, RequestInit['body'], Record<string, string>, number, string])[] = [
    ['that is cut short', '{"a":', {}, 400, 'bad_request'],
    ['that is no JSON', 'hello', {}, 400, 'bad_request'],
    ['with text after the value', '{} {}', {}, 400, 'bad_request'],
    ['with a trailing comma', '{"a":1,}', {}, 400, 'bad_request'],
    ['that is not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), {}, 400, 'bad_request'],
    ['with a prototype as a key', '{"x":{"__proto__":{"polluted":1}}}', {}, 400, 'bad_request'],
    ['with a prototype as an escaped key', '{"\\u005f_proto__":{"polluted":1}}', {}, 400, 'bad_request'],
    ['nested without end', nested(4000), {}, 400, 'bad_request'],
    ['that is empty', '', {}, 400, 'bad_request'],
    ['of white space', '  \n', {}, 400, 'bad_request'],
    ['as a form', 'a=1', { 'Content-Type': 'application/x-www-form-urlencoded' }, 400, 'bad_request'],
    ['as text', '{}', { 'Content-Type': 'text/plain' }, 400, 'bad_request'],
    ['without a type', Buffer.from('{}'), { 'Content-Type': '' }, 400, 'bad_request'],
    ['in another charset', '{}', { 'Content-Type': 'application/json; charset=latin1' }, 400, 'bad_request'],
    ['that is compressed', '{}', { 'Content-Encoding': 'gzip' }, 400, 'bad_request'],
    ['over the limit', JSON.stringify('x'.repeat(LIMIT)), {}, 413, 'payload_too_large'],
  ];
  for (const [what, body, headers, status, type] of cases) {
    it(`refuses one ${what}`, async () => {
      const answer = await post('/public/echo', body, headers);
      expect(answer.status).to.equal(status);
      expect(answer.body).to.include({ code: status, error_type: type, errorType: type });
      expect(answer.body['message']).not.to.match(/too long|too many tokens|hello/i);
    });
  }

  it('takes the media type and the charset in any case', async () => {
    for (const type of ['APPLICATION/JSON', 'application/json;charset=UTF-8', 'application/json; charset="utf-8"']) {
      expect((await post('/public/echo', '{"a":1}', { 'Content-Type': type })).body['body']).to.deep.equal({ a: 1 });
    }
  });

  it('takes a byte order mark, text that speaks of prototypes, and the last of two equal keys', async () => {
    const answer = await post('/public/echo', '\ufeff{"__proto":"__proto__","a":1,"a":2}');
    expect(answer.body).to.deep.equal({ body: { __proto: '__proto__', a: 2 }, polluted: false });
  });

  it('takes the largest body that is allowed', async () => {
    const answer = await post('/public/echo', JSON.stringify('x'.repeat(LIMIT - 2)));
    expect(answer.status).to.equal(200);
  });

  it('does without a body where the schema does, and never reads one where there is no schema', async () => {
    expect((await post('/public/optional', '')).body).to.deep.equal({ body: null });
    expect((await post('/public/unread', '{not json', { 'Content-Type': 'text/plain' })).body).to.deep.equal({
      fine: true,
    });
  });

  it('cuts a body of unknown length at the limit', async () => {
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('x'.repeat(1000))),
    });
    const answer = await post('/public/echo', endless);
    expect(answer.status).to.equal(413);
  });

  it('refuses a length over the limit before the body is sent', async () => {
    const head = `POST /public/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${LIMIT + 1}\r\n`;
    const answer = await raw(`${head}\r\n`, /payload_too_large.*}/);
    expect(answer).to.match(/^HTTP\/1.1 413 /);
  });

  it('gives the go-ahead only to a body that it will read', async () => {
    const head = (path: string, size: number) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`;
    expect(await raw(head('/public/echo', 2), /100 Continue\r\n\r\n/)).to.match(/^HTTP\/1.1 100 /);
    expect(await raw(head('/public/echo', LIMIT + 1), /payload_too_large.*}/)).to.match(/^HTTP\/1.1 413 /);
    expect(await raw(head('/nowhere', 2), /not_found.*}/)).to.match(/^HTTP\/1.1 404 /);
  });

  it('answers 408 when a body stops arriving', async () => {
    const head = 'POST /public/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';
    const answer = await raw(`${head}\r\n{"a":`, /timeout_error.*}/);
    expect(answer).to.match(/^HTTP\/1.1 408 /);
  });

  it('answers what is no HTTP with the envelope too', async () => {
    const answer = await raw('GET / HTTP/1.1\r\nbroken header\r\n\r\n', /never/);
    expect(answer).to.match(/^HTTP\/1.1 400 Bad Request\r\n/);
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>;
    expect(body).to.include({ code: 400, error_type: 'bad_request', errorType: 'bad_request' });
    const big = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`, /never/);
    expect(big).to.match(/^HTTP\/1.1 431 /);
  });

  it('has a bounded room for bodies, which each request gives back whatever becomes of it', async () => {
    const small = await startHttp(endpoints, {
      bodyTimeoutMs: 200,
      rooms: { bodies: roomOf({ mostBytes: 4000, freeBytes: 100, what: 'bodies' }), forms: boundlessRoom },
    });
    const head = (rest: string): string =>
      `POST /public/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${rest}\r\n\r\n`;
    const whole = (bytes: number): string =>
      `${head(`Content-Length: ${bytes}`)}${JSON.stringify('x'.repeat(bytes - 2))}`;
    const held = connect(Number(new URL(small.url).port), '127.0.0.1');
    held.on('error', () => undefined);
    held.write(`${head('Content-Length: 900')}"`);
    let seen = '';
    for (; !seen.startsWith('HTTP/1.1 429 ');) seen = await raw(whole(200), /\}$/, small);
    expect(seen)
      .to.match(/\r\nRetry-After: 5\r\n/)
      .and.to.contain('"error_type":"rate_limit_error"');
    expect(await raw(whole(100), /\}$/, small)).to.match(/^HTTP\/1.1 200 /);
    const chunked = `${head('Transfer-Encoding: chunked')}c8\r\n"${'x'.repeat(199)}\r\n`;
    expect(await raw(chunked, /\}$/, small)).to.match(/^HTTP\/1.1 429 /);
    held.destroy();
    for (; !seen.startsWith('HTTP/1.1 200 ');) seen = await raw(whole(1000), /\}$/, small);
    // Answered, refused by the parser, too slow: all of it is there again after each of them.
    for (const [text, status] of [
      [whole(1000), 200],
      [`${head('Content-Length: 1000')}${'x'.repeat(1000)}`, 400],
      [`${head('Content-Length: 1000')}"`, 408],
      [whole(1000), 200],
    ] as const) {
      expect(await raw(text, /\}$/, small)).to.match(new RegExp(`^HTTP/1.1 ${status} `));
    }
    await small.close();
  });

  it('answers 408 when the head of a request stops arriving', async () => {
    const impatient = await startHttp(endpoints, { headersTimeoutMs: 50 });
    const answer = await raw('GET / HTTP/1.1\r\nHost:', /never/, impatient);
    await impatient.close();
    expect(answer).to.match(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(answer).to.contain('"errorType":"timeout_error"');
  });
});
