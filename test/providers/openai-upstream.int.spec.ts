import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import type { ChatUpstream, UpstreamError, UpstreamEvent } from '../../src/kernel/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { replayingUpstream, type Replay, type ReplayingUpstream } from './replaying-upstream.ts';
import { replay, request } from './replay.ts';

const NOW = new Date('2026-11-23T10:00:00Z');

const at = (baseUrl: string, patience: { idleMs?: number; totalMs?: number } = {}): ChatUpstream =>
  openAiUpstream({ baseUrl, apiKey: 'sk-test-key', clock: () => NOW, ...patience });

const failureOf = async (upstream: ChatUpstream, streaming = true): Promise<UpstreamError> => {
  const { failure } = await replay(upstream, streaming);
  return failure as UpstreamError;
};

const jsonAnswer = (status: number, body: unknown, headers: Record<string, string> = {}): Replay => ({
  status,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
  headers,
});

const chatAnswer = jsonAnswer(200, {
  id: 'chatcmpl-1',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
});

describe('the OpenAI adapter', () => {
  let server: ReplayingUpstream;
  let upstream: ChatUpstream;
  beforeEach(async () => {
    server = await replayingUpstream();
    upstream = at(server.url);
  });
  afterEach(async () => {
    await upstream.close();
    await server.stop();
  });

  it('calls with key and request id, whatever the end of the base URL', async () => {
    server.answer(jsonAnswer(500, {}));
    for (const base of [server.url, `${server.url}/`, `${server.url}/v1`, `${server.url}/v1/`]) {
      const other = at(base);
      await replay(other, true);
      await other.close();
    }
    expect(server.asked.map(({ path }) => path)).to.deep.equal(Array(4).fill('/v1/responses'));
    expect(server.asked[0]!.headers).to.deep.include({
      authorization: 'Bearer sk-test-key',
      'x-request-id': request().requestId,
      accept: 'text/event-stream',
    });
  });

  it('speaks Chat Completions to a server that does not know the Responses API, and remembers', async () => {
    server.answer(({ path }) =>
      path === '/v1/chat/completions' ? chatAnswer : jsonAnswer(404, { detail: 'Not Found' }),
    );
    for (let call = 0; call < 2; call += 1) expect((await replay(upstream, true)).completion.text).to.equal('Hi');
    expect(server.asked.map(({ path }) => path)).to.deep.equal([
      '/v1/responses',
      '/v1/chat/completions',
      '/v1/chat/completions',
    ]);
  });

  it('does not take a missing model for a missing API', async () => {
    server.answer(jsonAnswer(404, { error: { message: 'no such model', code: 'model_not_found', type: 'x' } }));
    expect(await failureOf(upstream)).to.include({ kind: 'not_found', status: 404 });
    expect(server.asked).to.have.length(1);
  });

  it('takes an answer that came at once although a stream was asked for', async () => {
    server.answer(
      jsonAnswer(200, {
        id: 'resp_1',
        model: 'm',
        status: 'completed',
        output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }],
        usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
      }),
    );
    const { completion } = await replay(upstream, true);
    expect(completion).to.include({ text: 'Hi', finish: 'stop', upstreamId: 'resp_1' });
    expect(completion.usage).to.include({ inputUncached: 3, outputVisible: 1 });
  });

  const kinds: readonly (readonly [number, unknown, string])[] = [
    [400, { error: { message: 'bad', code: 'invalid_value' } }, 'invalid_request'],
    [400, { error: { message: 'too long', code: 'context_length_exceeded' } }, 'context_length'],
    [400, { error: { message: "This model's maximum context length is 8192 tokens", code: null } }, 'context_length'],
    [401, { error: { message: 'no', code: 'invalid_api_key' } }, 'auth'],
    [403, {}, 'auth'],
    [429, { error: { message: 'slow', code: 'rate_limit_exceeded' } }, 'rate_limit'],
    [429, { error: { message: 'pay', code: 'insufficient_quota' } }, 'quota'],
    [500, 'oops', 'server'],
    [503, {}, 'overloaded'],
    [504, {}, 'timeout'],
  ];
  for (const [status, body, kind] of kinds) {
    it(`tells a ${status} with ${JSON.stringify(body)} as ${kind}`, async () => {
      server.answer(jsonAnswer(status, body));
      expect(await failureOf(upstream)).to.include({ kind, status, provider: 'openai', neverReached: false });
      expect(await failureOf(upstream, false)).to.include({ kind, status });
    });
  }

  it('knows how long to wait', async () => {
    const waits = [
      [{ 'retry-after': '7' }, 7_000],
      [{ 'retry-after': 'Mon, 23 Nov 2026 10:00:30 GMT' }, 30_000],
      [{ 'retry-after-ms': '250', 'retry-after': '1' }, 250],
      [{}, undefined],
    ] as const;
    for (const [headers, wait] of waits) {
      server.answer(jsonAnswer(429, {}, headers));
      expect((await failureOf(upstream)).retryAfterMs).to.equal(wait);
    }
  });

  it('keeps keys and addresses out of what it repeats', async () => {
    const message = 'Incorrect key sk-proj-abc.def, mail ops@example.test or use Bearer eyJhbGci';
    server.answer(jsonAnswer(401, { error: { message } }));
    const { providerMessage } = await failureOf(upstream);
    expect(providerMessage).to.equal('Incorrect key *** mail *** or use ***');
  });

  it('keeps what may quote the prompt out of it too', async () => {
    const error = { message: "Invalid 'messages': my secret plan", type: 'invalid_request_error', code: 'bad_value' };
    for (const status of [400, 413, 422]) {
      server.answer(jsonAnswer(status, { error }));
      expect(await failureOf(upstream)).to.include({ providerMessage: 'bad_value invalid_request_error', status });
    }
    server.answer(jsonAnswer(400, { error: { ...error, message: 'maximum context length exceeded: my secret plan' } }));
    expect(await failureOf(upstream)).to.include({
      providerMessage: 'bad_value invalid_request_error',
      kind: 'context_length',
    });
    server.answer(jsonAnswer(500, { error: { message: 'we are down' } }));
    expect(await failureOf(upstream)).to.include({ providerMessage: 'we are down' });
  });

  it('says when the provider never saw the request', async () => {
    const nobody = at('http://127.0.0.1:9');
    expect(await failureOf(nobody)).to.include({ kind: 'network', neverReached: true });
    await nobody.close();
  });
});

describe('the OpenAI adapter and a slow answer', () => {
  let server: Server;
  let answer: (response: ServerResponse) => void = () => undefined;
  let upstream: ChatUpstream;
  let closed = 0;

  beforeEach(async () => {
    closed = 0;
    server = createServer((asked, response) => {
      asked.resume();
      response.on('close', () => (closed += 1));
      answer(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    upstream = at(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { idleMs: 1_500, totalMs: 60_000 });
  });
  afterEach(async () => {
    await upstream.close();
    server.closeAllConnections();
    server.close();
  });

  const head = (response: ServerResponse): ServerResponse =>
    response.writeHead(200, { 'content-type': 'text/event-stream' });
  const delta = (text: string): string =>
    `data: ${JSON.stringify({ type: 'response.output_text.delta', delta: text, output_index: 0 })}\n\n`;

  it('gives up after a silence', async () => {
    answer = (response) => head(response).write(delta('Hi'));
    const { completion, failure } = await replay(upstream, true);
    expect(completion.text).to.equal('Hi');
    expect(failure).to.include({ kind: 'timeout' });
  }).timeout(10_000);

  it('gives up when the head does not come', async () => {
    answer = () => undefined;
    expect(await failureOf(upstream)).to.include({ kind: 'timeout', neverReached: false });
  }).timeout(10_000);

  it('gives up at the end of its patience, whatever comes', async () => {
    const hasty = openAiUpstream({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      apiKey: 'k',
      clock: () => NOW,
      totalMs: 150,
    });
    answer = (response) => {
      head(response);
      const timer = setInterval(() => response.write(delta('.')), 10);
      response.on('close', () => clearInterval(timer));
    };
    expect(await failureOf(hasty)).to.include({ kind: 'timeout' });
    await hasty.close();
  });

  for (const how of ['leaving the loop', 'aborting']) {
    it(`ends the call at the provider by ${how}`, async () => {
      answer = (response) => head(response).write(delta('Hi'));
      const leaving = new AbortController();
      const batches = await upstream.stream(request(), { signal: leaving.signal });
      try {
        for await (const _batch of batches) {
          if (how === 'leaving the loop') break;
          leaving.abort();
        }
      } catch (error) {
        expect(error).to.include({ kind: 'aborted' });
      }
      await eventually('the end at the provider', () => (closed === 1 ? true : undefined), 1_000);
    });
  }

  it('cuts off what the provider cut off', async () => {
    answer = (response) => {
      head(response).write(delta('Hi'));
      setTimeout(() => response.destroy(), 20);
    };
    const { completion, failure } = await replay(upstream, true);
    expect(completion.text).to.equal('Hi');
    expect(failure).to.include({ kind: 'network' });
  });

  it('lets a fast provider wait for a slow reader, and loses nothing', async () => {
    const PIECES = 20_000;
    let written = 0;
    answer = (response) => {
      head(response);
      const more = (): void => {
        while (written < PIECES) {
          written += 1;
          if (!response.write(delta('0123456789'.repeat(20)))) return void response.once('drain', more);
        }
        response.end(`data: ${JSON.stringify({ type: 'response.completed', response: { status: 'completed' } })}\n\n`);
      };
      more();
    };
    const batches = await upstream.stream(request(), { signal: new AbortController().signal });
    const iterator = batches[Symbol.asyncIterator]();
    const events: UpstreamEvent[] = [];
    const take = async (): Promise<boolean> => {
      const step = await iterator.next();
      if (step.done === true) return false;
      events.push(...step.value);
      return true;
    };
    await take();
    // The reader stops here; the provider must come to a halt long before its end.
    let before = -1;
    await eventually('a halt', () => {
      const halted = written === before;
      before = written;
      return halted ? true : undefined;
    });
    expect(written).to.be.lessThan(PIECES);
    while (await take());
    expect(events.filter(({ type }) => type === 'text')).to.have.length(PIECES);
  });
});
