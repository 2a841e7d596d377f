import { expect } from 'chai';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Attempt } from '../../commands/completions/plan.ts';
import { openAiUpstream, type OpenAiOptions } from '../../infra/providers/openai/openai-upstream.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { refusalOf } from '../support/refusal-of.ts';
import { givenAttempts, listening, type GivenAttempts } from './given-attempts.ts';
import { order } from './given-completions.ts';
import { wires } from './metering/wire-formats.ts';

const wire = wires['openai']!;
/** Silence is looked for about once a second. */
const LONG_MS = 1_500;

const counts = { prompt: 1_000, cached: 0, words: 2 };

describe('how long a provider is waited for', () => {
  let server: Server;
  let upstream: ChatUpstream;
  let given: GivenAttempts;
  let answer: (response: ServerResponse) => unknown = () => undefined;
  let open = 0;

  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      open += 1;
      response.on('close', () => (open -= 1));
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await given.completions.shutdown({ graceMs: 0, limitMs: 1_000 });
    await upstream.close();
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const givenLimits = async (limits: Pick<OpenAiOptions, 'idleMs' | 'totalMs'>): Promise<GivenAttempts> => {
    const { port } = server.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}`;
    upstream = openAiUpstream({ apiKey: 'key', baseUrl, clock: () => new Date(), ...limits });
    const request = { ...order('Hello').task, requestId: 'id', model: 'm', webMode: false };
    const attempt: Attempt = {
      provider: 'openai',
      model: 'm',
      disconnect: { policy: 'count', limitSeconds: 0 },
      call: (options) => upstream.stream(request, options),
    };
    return givenAttempts([attempt]);
  };
  const begin = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(wire.begin('resp_1', counts) + wire.word('resp_1', 'one two', counts));
  };
  const closed = () => eventually('the connection to be cut', () => (open === 0 ? true : undefined));

  it('ends when it does not answer at all, and nothing is charged', async () => {
    answer = () => undefined;
    given = await givenLimits({ idleMs: 40 });
    const refusal = await refusalOf(given.begin());
    expect(refusal.errorType).to.equal('external_service_error');
    expect(refusal.details).to.include({ failure: 'timeout' });
    expect(given.last('ReservationReleased')!.data.failed?.map(({ failure }) => failure)).to.deep.equal(['timeout']);
    await closed();
  });

  it('ends when it falls silent in the middle: it is cut, and what was delivered is charged', async () => {
    answer = begin;
    given = await givenLimits({ idleMs: 40 });
    const ended = await (await given.begin()).deliver(listening());
    expect(ended).to.include({ how: 'failed', finish: 'error', estimated: true, charged: 503n });
    expect(given.last('ReservationCaptured')!.data.servedBy?.failed.map(({ failure }) => failure)).to.deep.equal([
      'timeout',
    ]);
    await closed();
  });

  it('ends when an answer goes on for ever', async () => {
    let more: NodeJS.Timeout | undefined;
    answer = (response) => {
      begin(response);
      more = setInterval(() => response.write(': still here\n\n'), 5);
    };
    given = await givenLimits({ idleMs: 5_000, totalMs: 120 });
    const ended = await (await given.begin()).deliver(listening());
    expect(ended).to.include({ how: 'failed', estimated: true, charged: 503n });
    await closed();
    clearInterval(more);
  });

  it('does not end while it is the client that is slow', async () => {
    const words = 40_000;
    answer = (response) => {
      begin(response);
      for (let index = 0; index < words; index += 1) response.write(wire.word('resp_1', ' on', counts));
      response.end(wire.end('resp_1', { ...counts, words: words + 2 }));
    };
    given = await givenLimits({ idleMs: 40 });
    const sink = listening();
    let slow = true;
    const ended = await (
      await given.begin()
    ).deliver({
      take: (batch) => {
        void sink.take(batch);
        if (!slow) return undefined;
        slow = false;
        return wait(LONG_MS);
      },
    });
    expect(ended).to.include({ how: 'completed', estimated: false });
    expect(sink.words().length).to.equal('one two'.length + 3 * words);
  });
});
