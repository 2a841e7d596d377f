import { expect } from 'chai';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { wires } from '../completions/metering/wire-formats.ts';
import { apiClient, framesOf } from '../support/api-client.ts';
import { signIn, startServer, temporaryDataDir, type RunningServer } from '../support/running-server.ts';

type Double = Readonly<{ url: string; calls: () => number; stop: () => void }>;

/** A provider's double that answers every call in the same way. */
const double = async (answer: (response: ServerResponse) => unknown): Promise<Double> => {
  let calls = 0;
  const server = createServer((request: IncomingMessage, response) => {
    calls += 1;
    void text(request).then(() => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

const FAILURES_IN_A_ROW = 5;

describe('a server whose provider is down', function () {
  this.timeout(120_000);
  const dataDir = temporaryDataDir();
  const wire = wires['openrouter']!;
  let server: RunningServer;
  let down: Double;
  let other: Double;

  before(async () => {
    down = await double((response) =>
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"overloaded"}}'),
    );
    other = await double((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const counts = { prompt: 10, cached: 0, words: 2 };
      response.end(wire.begin('gen-1', counts) + wire.word('gen-1', 'Hi there', counts) + wire.end('gen-1', counts));
    });
    server = await startServer(dataDir.path, {
      OPENAI_API_KEY: 'key',
      OPENAI_BASE_URL: down.url,
      OPENROUTER_API_KEY: 'key',
      OPENROUTER_BASE_URL: other.url,
      XAI_API_KEY: 'key',
      XAI_BASE_URL: down.url,
    });
  });
  after(async () => {
    await server.stop();
    down.stop();
    other.stop();
    dataDir.remove();
  });

  it('answers by another one, and leaves the first alone after some failures', async () => {
    const client = apiClient(server.url, await signIn(server, 'fallback@example.test'));
    const requests = FAILURES_IN_A_ROW + 3;
    for (let index = 0; index < requests; index += 1) {
      const response = await client.completion('Hello', { model: 'openai/gpt-4.1', stream: index % 2 === 0 });
      const body = await response.text();
      expect(response.status, body).to.equal(200);
      expect(body).to.contain('Hi there');
      if (index % 2 === 0) expect(framesOf(body).at(-1)?.event).to.equal('stream_completed');
    }
    expect(other.calls()).to.equal(requests);
    expect(down.calls()).to.equal(FAILURES_IN_A_ROW);
    const captured = (frames: ReturnType<typeof framesOf>) =>
      frames
        .map(({ data }) => data as Readonly<{ type: string; data: Readonly<{ servedBy?: ServedBy }> }>)
        .filter(({ type }) => type === 'ReservationCaptured');
    const charges = captured(await client.events((frames) => captured(frames).length === requests));
    const failed = charges.map(({ data }) => data.servedBy?.failed.map(({ provider, status }) => [provider, status]));
    expect(failed.slice(0, FAILURES_IN_A_ROW)).to.deep.equal(Array(FAILURES_IN_A_ROW).fill([['openai', 503]]));
    expect(failed.slice(FAILURES_IN_A_ROW)).to.deep.equal(Array(3).fill([['openai', null]]));
  });

  it('tells what the last one said when nobody answers, and takes nothing', async () => {
    const client = apiClient(server.url, await signIn(server, 'nobody@example.test'));
    const task = { model: 'xai/grok-4', task_type: 'web_search_execution' };
    const response = await client.completion('Hello', task);
    expect(response.status).to.equal(502);
    expect(await response.json()).to.include({
      error_type: 'external_service_error',
      message: 'External service error: xai is overloaded; wait and try again',
    });
    expect(response.headers.get('retry-after')).to.equal('5');
    const { freeCreditBalance } = await client.get<{ freeCreditBalance: string }>('/api/billing/credits/balance');
    expect(Number(freeCreditBalance)).to.equal(2);
  });
});

type ServedBy = Readonly<{ failed: readonly Readonly<{ provider: string; status: number | null }>[] }>;
