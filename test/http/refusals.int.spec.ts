import { expect } from 'chai';
import { once } from 'node:events';
import { connect } from 'node:net';
import { z } from 'zod';
import { WebSocket } from 'ws';
import { adminEndpoint, json, userEndpoint, type Endpoint } from '../../src/http/endpoint.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { acceptSockets } from '../../src/ws/upgrade.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';

const ORIGIN = 'https://app.example';

const endpoints: readonly Endpoint[] = [
  userEndpoint({
    method: 'POST',
    path: '/api/notes',
    limit: 'write',
    body: z.object({ text: z.string() }),
    maxBodyBytes: 64,
    handle: ({ body }) => Promise.resolve(json(200, body)),
  }),
  userEndpoint({ method: 'GET', path: '/api/rare', limit: 'read', handle: () => Promise.resolve(json(200, {})) }),
  adminEndpoint({ method: 'GET', path: '/api/admin', limit: 'write', handle: () => Promise.resolve(json(200, {})) }),
  userEndpoint({ method: 'GET', path: '/api/fault', limit: 'write', handle: () => Promise.reject(new Error('x')) }),
];

type Answer = Readonly<{
  status: number;
  header: (name: string) => string | null;
  body: Readonly<Record<string, unknown>>;
}>;

/** One answer as bytes on a socket. */
const parsed = (text: string): Answer => {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  const headers = new Map(lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.slice(line.indexOf(':') + 2)]));
  return {
    status: Number(start.split(' ')[1]),
    header: (name) => headers.get(name) ?? null,
    body: JSON.parse(body) as Answer['body'],
  };
};

describe('every refusal', () => {
  let under: HttpUnderTest;
  let sockets: ReturnType<typeof acceptSockets>;

  before(async () => {
    under = await startHttp(endpoints, {
      corsOrigins: [ORIGIN],
      https: true,
      limits: { ...defaultLimits, read: { perIp: 1, windowSeconds: 60 }, socket: { perIp: 4, windowSeconds: 60 } },
    });
    const { http, serving } = under;
    sockets = acceptSockets({
      ...http,
      app: http.app,
      server: serving.server,
      logger: silentLogger,
      handlers: { '/ws/talk': (socket) => once(socket as WebSocket, 'close').then(() => undefined) },
      scopes: {},
      maxFrameBytes: 1024,
    });
  });
  after(() => under.close());

  const thenCareful = ({ header }: Answer, origin = ORIGIN): void => {
    expect(header('access-control-allow-origin')).to.equal(origin === ORIGIN ? ORIGIN : null);
    expect(header('access-control-allow-credentials')).to.equal(origin === ORIGIN ? 'true' : null);
    expect(header('vary')).to.match(/Origin/);
    expect(header('x-content-type-options')).to.equal('nosniff');
    expect(header('x-frame-options')).to.equal('DENY');
    expect(header('referrer-policy')).to.equal('no-referrer');
    expect(header('strict-transport-security')).to.match(/^max-age=31536000/);
    expect(header('cache-control')).to.equal('no-store');
    expect(header('content-type')).to.match(/^application\/json/);
  };
  const thenEnveloped = (answer: Answer, status: number, type: string): void => {
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
    expect(answer.body).to.include({ code: status, error_type: type, errorType: type });
    expect(answer.body['request_id']).to.equal(answer.header('x-request-id'));
    thenCareful(answer);
  };

  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = { Origin: ORIGIN, Authorization: 'Bearer ada', ...(init.headers as Record<string, string>) };
    const response = await fetch(under.url + path, { ...init, method, headers });
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      body: (await response.json()) as Answer['body'],
    };
  };
  const post = (body: string, type = 'application/json') =>
    ask('POST', '/api/notes', { body, headers: { 'Content-Type': type } });

  it('of a request has the envelope, the headers of every answer, and can be read by a browser', async () => {
    thenEnveloped(await post('{"text":1}'), 400, 'validation_error');
    thenEnveloped(
      await ask('GET', '/api/fault', { headers: { Authorization: 'Bearer x' } }),
      401,
      'authentication_error',
    );
    thenEnveloped(await ask('GET', '/api/admin'), 403, 'forbidden');
    thenEnveloped(await ask('DELETE', '/api/notes'), 405, 'method_not_allowed');
    thenEnveloped(await post(JSON.stringify({ text: 'x'.repeat(100) })), 413, 'payload_too_large');
    thenEnveloped(await post('text=1', 'text/plain'), 400, 'bad_request');
    thenEnveloped(await ask('GET', '/api/fault'), 500, 'internal_error');
    await under.http.gate.countAddress('read', '127.0.0.1');
    const over = await ask('GET', '/api/rare');
    thenEnveloped(over, 429, 'rate_limit_error');
    expect(Number(over.header('retry-after'))).to.be.greaterThan(0);
    expect(over.header('access-control-expose-headers')).to.include('Retry-After');
  });

  const raw = async (text: string): Promise<Answer> => {
    const { hostname, port } = new URL(under.url);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.write(text);
    await once(socket, 'close');
    return parsed(answer);
  };

  it('of a socket at an address that is none is no fault', async () => {
    const asked = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
    const text = `GET http://[bad HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\n${asked}\r\n\r\n`;
    thenEnveloped(await raw(text), 400, 'bad_request');
  });

  it('is none for a client that offers another protocol, as some do with every request', async () => {
    const offer =
      'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA';
    const body = '{"text":"hello"}';
    const head = `Host: x\r\nAuthorization: Bearer ada\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const answer = await raw(`POST /api/notes HTTP/1.1\r\n${head}\r\n${offer}\r\n\r\n${body}`);
    expect([answer.status, answer.body]).to.deep.equal([200, { text: 'hello' }]);
  });

  it('of what is no request has them too, and the origin that can be made out', async () => {
    thenEnveloped(
      await raw(`GET / HTTP/1.1\r\nOrigin: ${ORIGIN}\r\nHost: x\r\nbroken header\r\n\r\n`),
      400,
      'bad_request',
    );
    const big = 'x'.repeat(20_000);
    thenEnveloped(
      await raw(`GET / HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nBig: ${big}\r\n\r\n`),
      431,
      'bad_request',
    );
    thenCareful(await raw('GET / HTTP/1.1\r\nOrigin: https://evil.example\r\nbroken\r\n\r\n'), 'https://evil.example');
    thenCareful(await raw('nonsense\r\n\r\n'), 'none');
  });

  const upgrade = (path: string, token: string) =>
    raw(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );

  it('of an upgrade has them too; sockets are counted while they are open, and have a bucket of their own', async () => {
    const { activity } = under.http;
    const socket = new WebSocket(`${under.url.replace('http', 'ws')}/ws/talk`, {
      headers: { Authorization: 'Bearer ada' },
    });
    await once(socket, 'open');
    expect(activity.now().activeSockets).to.equal(1);
    socket.close();
    await eventually('the socket to be gone', () => (activity.now().activeSockets === 0 ? true : undefined));
    thenEnveloped(await upgrade('/ws/talk', 'nobody'), 401, 'authentication_error');
    thenEnveloped(await upgrade('/ws/nothing', 'ada'), 404, 'not_found');
    await upgrade('/ws/talk', 'nobody');
    await upgrade('/ws/talk', 'nobody');
    const over = await upgrade('/ws/talk', 'ada');
    thenEnveloped(over, 429, 'rate_limit_error');
    expect(Number(over.header('retry-after'))).to.be.greaterThan(0);
    expect(sockets.open()).to.equal(0);
  });
});
