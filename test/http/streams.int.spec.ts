import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { json, publicEndpoint } from '../../src/http/endpoint.ts';
import type { Call, Endpoint } from '../../src/http/endpoint.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp } from '../support/given-http.ts';
import type { HttpUnderTest } from '../support/given-http.ts';
import { memoryLogger } from '../support/memory-logger.ts';

/** A handler that waits for its test. */
const turnstile = () => {
  const calls: Call<undefined, undefined>[] = [];
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { calls, open: promise, let: () => resolve(undefined) };
};

const textOf = ({ value }: { value?: unknown }): string => Buffer.from(value as Uint8Array).toString();

const streaming = (
  path: string,
  write: (response: ServerResponse, call: Call<undefined, undefined>) => Promise<void>,
) =>
  publicEndpoint({
    method: 'GET',
    path,
    limit: 'public',
    handle: (call) => Promise.resolve({ kind: 'stream', write: (response) => write(response, call) }),
  });

describe('streams, aborts and stopping', () => {
  let under: HttpUnderTest;
  let log: ReturnType<typeof memoryLogger>;
  const start = async (...endpoints: readonly Endpoint[]): Promise<void> => {
    log = memoryLogger();
    under = await startHttp(endpoints, { logger: log.logger });
  };
  afterEach(() => under.close());

  const requestLine = (path: string) =>
    eventually(`a log line for ${path}`, () =>
      log.lines.find(({ message, fields }) => message === 'request' && fields['route'] === path),
    );
  const errors = () => log.lines.filter(({ level }) => level === 'error');

  it('hands a stream on as it is written, with the headers of the edge', async () => {
    const gate = turnstile();
    await start(
      streaming('/feed', async (response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: 1\n\n');
        await gate.open;
        response.end('data: 2\n\n');
      }),
    );
    const response = await fetch(`${under.url}/feed`, { headers: { Origin: 'https://app.example' } });
    expect(response.headers.get('content-type')).to.equal('text/event-stream');
    expect(response.headers.get('access-control-allow-origin')).to.equal('https://app.example');
    expect(response.headers.get('x-request-id')).to.match(/.{36}/);
    const reader = response.body!.getReader();
    expect(textOf(await reader.read())).to.equal('data: 1\n\n');
    expect(under.http.activity.now()).to.deep.equal({ activeRequests: 1, activeStreams: 1, activeSockets: 0 });
    gate.let();
    expect(textOf(await reader.read())).to.equal('data: 2\n\n');
    expect((await reader.read()).done).to.equal(true);
    expect((await requestLine('/feed')).fields['status']).to.equal(200);
    expect(under.http.activity.now()).to.deep.equal({ activeRequests: 0, activeStreams: 0, activeSockets: 0 });
  });

  it('answers the envelope when a stream fails before its first byte', async () => {
    await start(
      streaming('/refused', (response) => {
        response.setHeader('Content-Type', 'text/event-stream');
        return Promise.reject(new DomainError('credit_insufficient', 'buy credits'));
      }),
    );
    const response = await fetch(`${under.url}/refused`);
    expect(response.status).to.equal(402);
    expect(response.headers.get('content-type')).to.match(/^application\/json/);
    expect(await response.json()).to.include({ code: 402, error_type: 'credit_insufficient' });
  });

  it('cuts the connection when a stream fails later, and logs why', async () => {
    await start(
      streaming('/broken', (response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: 1\n\n');
        return Promise.reject(new Error('the pipe burst'));
      }),
    );
    const text = await fetch(`${under.url}/broken`)
      .then((response) => response.text())
      .catch((error: unknown) => error);
    expect(text).to.be.an('error');
    expect((await requestLine('/broken')).fields['status']).to.equal(500);
    expect(errors()).to.have.length(1);
    expect(errors()[0]?.fields['err']).to.have.property('message', 'the pipe burst');
  });

  it('does not start a stream to answer HEAD', async () => {
    let started = false;
    await start(
      streaming('/feed', (response) => {
        started = true;
        response.end();
        return Promise.resolve();
      }),
    );
    expect((await fetch(`${under.url}/feed`, { method: 'HEAD' })).status).to.equal(200);
    expect(started).to.equal(false);
  });

  it('tells a handler that its client has gone, and logs 499 and no error', async () => {
    const seen = turnstile();
    await start(
      publicEndpoint({
        method: 'GET',
        path: '/slow',
        limit: 'public',
        handle: async (call) => {
          seen.calls.push(call);
          await once(call.gone, 'abort');
          return call.gone.throwIfAborted() as never;
        },
      }),
    );
    const abort = new AbortController();
    const answer = fetch(`${under.url}/slow`, { signal: abort.signal }).catch((error: unknown) => error);
    await eventually('the handler runs', () => seen.calls[0]);
    abort.abort();
    await answer;
    expect((await requestLine('/slow')).fields['status']).to.equal(499);
    expect(errors()).to.deep.equal([]);
    expect(under.http.activity.now().activeRequests).to.equal(0);
  });

  it('tells a stream that its client has gone', async () => {
    let ended = '';
    await start(
      streaming('/feed', async (response, { gone }) => {
        response.writeHead(200).write('1');
        await once(gone, 'abort');
        ended = 'gone';
      }),
    );
    const abort = new AbortController();
    const response = await fetch(`${under.url}/feed`, { signal: abort.signal });
    await response.body!.getReader().read();
    abort.abort();
    expect((await requestLine('/feed')).fields['status']).to.equal(499);
    expect(await eventually('the stream ends', () => ended || undefined)).to.equal('gone');
    expect(errors()).to.deep.equal([]);
  });

  it('takes a connection that its client resets for no fault, with an answer under way or a body', async () => {
    await start(
      streaming('/feed', async (response, { gone }) => {
        response.writeHead(200);
        response.write('some');
        await once(gone, 'abort');
        response.end('more');
      }),
      publicEndpoint({
        method: 'POST',
        path: '/body',
        limit: 'public',
        body: z.unknown(),
        handle: () => Promise.resolve(json(200, {})),
      }),
    );
    const head = 'Host: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n';
    for (const [line, path] of [
      ['GET /feed', '/feed'],
      ['POST /body', '/body'],
    ] as const) {
      const socket = connect(Number(new URL(under.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`${line} HTTP/1.1\r\n${path === '/feed' ? 'Host: x\r\n\r\n' : head}`);
      await once(socket, 'data');
      socket.resetAndDestroy();
      expect((await requestLine(path)).fields).to.include({ status: 499 });
    }
    expect(errors()).to.deep.equal([]);
  });

  it('does not call a client gone that has its answer', async () => {
    const signals: AbortSignal[] = [];
    await start(
      publicEndpoint({
        method: 'GET',
        path: '/quick',
        limit: 'public',
        handle: ({ gone }) => {
          signals.push(gone);
          return Promise.resolve(json(200, {}));
        },
      }),
      streaming('/feed', (response, { gone }) => {
        signals.push(gone);
        response.end('all');
        return Promise.resolve();
      }),
    );
    for (const path of ['/quick', '/feed']) {
      await (await fetch(under.url + path, { headers: { Connection: 'close' } })).text();
      expect((await requestLine(path)).fields['status']).to.equal(200);
    }
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([false, false]);
  });

  it('logs 499 for a client that leaves in the middle of its body', async () => {
    await start(
      publicEndpoint({
        method: 'POST',
        path: '/upload',
        limit: 'public',
        body: z.unknown(),
        handle: () => Promise.resolve(json(200, {})),
      }),
    );
    const socket = connect(Number(new URL(under.url).port), '127.0.0.1');
    socket.write(
      'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
      () => socket.destroy(),
    );
    expect((await requestLine('/upload')).fields['status']).to.equal(499);
    expect(errors()).to.deep.equal([]);
  });

  describe('when stopped', () => {
    const slow = () => {
      const gate = turnstile();
      const endpoint = publicEndpoint({
        method: 'GET',
        path: '/slow',
        limit: 'public',
        handle: async (call) => {
          gate.calls.push(call);
          await gate.open;
          return json(200, { done: true });
        },
      });
      return { gate, endpoint };
    };

    it('lets a running request finish, accepts nothing new and does not wait for idle connections', async () => {
      const { gate, endpoint } = slow();
      await start(endpoint);
      await (await fetch(`${under.url}/nowhere`)).text();
      const running = fetch(`${under.url}/slow`);
      await eventually('the handler runs', () => gate.calls[0]);
      const stopped = under.serving.stop(60_000);
      expect(await fetch(`${under.url}/slow`).catch(() => 'refused')).to.equal('refused');
      gate.let();
      expect(await (await running).json()).to.deep.equal({ done: true });
      await stopped;
    });

    it('does not wait for a connection that was opened ahead of any request', async () => {
      const { endpoint } = slow();
      await start(endpoint);
      const ahead = connect(Number(new URL(under.url).port), '127.0.0.1');
      await once(ahead, 'connect');
      const closed = once(ahead, 'close');
      await under.serving.stop(60_000);
      await closed;
    });

    it('cuts what still runs at the limit, upgraded connections too', async () => {
      const { gate, endpoint } = slow();
      await start(endpoint);
      const cut = fetch(`${under.url}/slow`).catch(() => 'cut');
      await eventually('the handler runs', () => gate.calls[0]);
      under.serving.server.on('upgrade', (_request, socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      );
      const upgraded = connect(Number(new URL(under.url).port), '127.0.0.1');
      upgraded.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await once(upgraded, 'data');
      const closed = once(upgraded, 'close');
      await under.serving.stop(20);
      await closed;
      expect(await cut).to.equal('cut');
      await eventually('the handler is told', () => gate.calls[0]?.gone.aborted === true || undefined);
      gate.let();
    });
  });
});
