import { expect } from 'chai';
import OpenAI from 'openai';
import { eventually } from '../support/eventually.ts';
import { CHAT, chat, contentOf, framesOf, givenLlm, type GivenLlm } from './given-llm.ts';

const problem = async (response: Response): Promise<Record<string, unknown>> =>
  (await response.json()) as Record<string, unknown>;

describe('POST /api/llm/chat/completions', () => {
  let given: GivenLlm;
  afterEach(() => given.close());

  describe('streamed', () => {
    it('sends start, chunks and the charge, in the shapes that the desktop reads', async () => {
      given = await givenLlm();
      const response = await given.post(CHAT, chat('Grüße an 世界 👋🏽'));
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('text/event-stream');
      expect(response.headers.get('cache-control')).to.equal('no-cache');
      expect(response.headers.get('x-accel-buffering')).to.equal('no');
      const frames = framesOf(await response.text());
      const requestId = frames[0]!.data['requestId'];
      expect(frames[0]!.event).to.equal('stream_started');
      expect(frames.at(-1)!.event).to.equal('stream_completed');
      expect(contentOf(frames)).to.equal('Grüße an 世界 👋🏽');
      const chunks = frames.slice(1, -1);
      expect(chunks.every(({ event }) => event === undefined)).to.equal(true);
      for (const { data } of chunks) {
        expect(data).to.include({ model: 'sandbox/echo', object: 'chat.completion.chunk' });
        expect(data['id']).to.be.a('string');
        expect(data['created']).to.be.a('number');
      }
      expect(chunks[0]!.data['choices']).to.deep.equal([{ index: 0, delta: { role: 'assistant', content: 'Gr' } }]);
      const last = chunks.at(-1)!.data;
      expect(last['choices']).to.deep.equal([{ index: 0, delta: {}, finish_reason: 'stop' }]);
      const { usage, work } = {
        usage: given.last('ReservationCaptured')!.data.metered.usage,
        work: given.last('ReservationCaptured')!.data.work,
      };
      expect(work.taskType).to.equal('generic_llm_stream');
      const cost = Number(given.last('ReservationCaptured')!.data.metered.cost) / 1e6;
      expect(last['usage']).to.deep.include({
        prompt_tokens: usage.inputUncached,
        completion_tokens: usage.outputVisible,
        total_tokens: usage.inputUncached + usage.outputVisible,
        cost,
      });
      expect(frames.at(-1)!.data).to.deep.include({
        requestId,
        finalCost: cost,
        tokensInput: usage.inputUncached,
        tokensOutput: usage.outputVisible,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
      });
    });

    it('has written the charge before it says that it is complete', async () => {
      given = await givenLlm();
      let openGate: (() => void) | undefined;
      given.store.beforeAppend((_stream, [event]) =>
        event?.type === 'ReservationCaptured' ? new Promise<void>((resolve) => (openGate = resolve)) : undefined,
      );
      const response = await given.post(CHAT, chat('one two'));
      let seen = '';
      const reading = (async () => {
        for await (const piece of response.body!) seen += Buffer.from(piece).toString();
      })();
      await eventually('the append', () => openGate);
      await eventually('all text', () => (seen.includes('"content":" two"') ? true : undefined));
      expect(seen).to.not.include('stream_completed');
      openGate!();
      await reading;
      expect(seen).to.include('stream_completed');
    });

    it('keeps the connection open for the next request', async () => {
      given = await givenLlm();
      for (const words of ['first', 'second']) {
        const response = await given.post(CHAT, chat(words));
        expect(contentOf(framesOf(await response.text()))).to.equal(words);
      }
      expect(given.types().filter((type) => type === 'ReservationCaptured')).to.have.length(2);
    });

    it('says length when the limit was hit', async () => {
      given = await givenLlm();
      const frames = framesOf(await (await given.post(CHAT, chat('one two three', { max_tokens: 2 }))).text());
      expect(frames.at(-2)!.data['choices']).to.deep.equal([{ index: 0, delta: {}, finish_reason: 'length' }]);
      expect(frames.at(-1)!.data['tokensOutput']).to.equal(2);
    });

    it('stops the provider when the client goes away, and charges what was sent', async () => {
      given = await givenLlm();
      const leaving = new AbortController();
      const response = await given.post(CHAT, chat('[[sandbox stallAfter=3]] a b c d e'), { signal: leaving.signal });
      const reader = response.body!.getReader();
      let seen = '';
      while (!seen.includes('" c"')) seen += Buffer.from((await reader.read()).value).toString();
      leaving.abort();
      await eventually(
        'the end at the provider',
        () => (given.sandbox.stats().aborted === 1 ? true : undefined),
        1_000,
      );
      await eventually('the charge', () => given.last('ReservationCaptured'));
      const { outputTokens } = given.sandbox.stats();
      const captured = given.last('ReservationCaptured')!.data;
      expect(captured).to.include({ endedBy: 'client', estimated: true });
      expect(captured.metered.usage.outputVisible).to.equal(outputTokens);
      expect(given.completions.active()).to.equal(0);
    });

    it('charges exactly what the provider sent, however many clients go away', async () => {
      given = await givenLlm({ maxConcurrentPerUser: 100, credit: 100_000_000n });
      const leave = async (after: number): Promise<void> => {
        const leaving = new AbortController();
        const text = `[[sandbox stallAfter=${after} tokens=40]]  one two three`;
        const response = await given.post(CHAT, chat(text), { signal: leaving.signal });
        let chunks = 0;
        try {
          for await (const piece of response.body!) {
            chunks += Buffer.from(piece).toString().split('"content"').length - 1;
            if (chunks === after) leaving.abort();
          }
        } catch {
          // Leaving ends the reading.
        }
      };
      await Promise.all(Array.from({ length: 30 }, (_none, index) => leave(index + 1)));
      await eventually('an end for each', () => (given.completions.active() === 0 ? true : undefined));
      const charged = given.said().filter((event) => event.type === 'ReservationCaptured');
      expect(charged).to.have.length(30);
      const tokens = charged.map(({ data }) => data.metered.usage.outputVisible);
      expect(tokens.reduce((sum, count) => sum + count, 0)).to.equal(given.sandbox.stats().outputTokens);
      expect(given.said().at(-1)!.data.after.held).to.equal('0');
    });

    it('does not mind a client that closes after the last event', async () => {
      given = await givenLlm();
      const leaving = new AbortController();
      const response = await given.post(CHAT, chat('one two'), { signal: leaving.signal });
      const reader = response.body!.getReader();
      let seen = '';
      while (!seen.includes('stream_completed')) seen += Buffer.from((await reader.read()).value).toString();
      leaving.abort();
      expect(given.last('ReservationCaptured')!.data).to.include({ endedBy: 'provider', estimated: false });
    });

    it('cuts the connection when the answer breaks after its beginning, and charges the beginning', async () => {
      given = await givenLlm();
      const response = await given.post(CHAT, chat('[[sandbox failAfter=2]] one two three'));
      let seen = '';
      let cut = false;
      try {
        for await (const piece of response.body!) seen += Buffer.from(piece).toString();
      } catch {
        cut = true;
      }
      expect(cut).to.equal(true);
      expect(contentOf(framesOf(seen))).to.equal('one two');
      expect(given.last('ReservationCaptured')!.data).to.include({ finish: 'error', estimated: true });
    });

    it('tells an error in the stream when nothing was sent yet, and charges nothing', async () => {
      given = await givenLlm({ headWaitMs: 1 });
      const response = await given.post(CHAT, chat('[[sandbox latency=60 status=429 retryAfter=7]] x'));
      const frames = framesOf(await response.text());
      expect(frames.map(({ event }) => event)).to.deep.equal(['stream_started', 'error_details']);
      expect(frames[1]!.data['error']).to.deep.equal({
        code: 'rate_limit_exceeded',
        message: 'sandbox is busy; wait and try again',
        providerError: {
          provider: 'sandbox',
          statusCode: 429,
          errorType: 'rate_limit',
          details: 'sandbox is busy; wait and try again',
        },
        fallbackAttempted: false,
      });
      expect(given.last('ReservationReleased')!.data.reason).to.equal('provider_failed');
    });

    it('is cancelled by its owner only, and once', async () => {
      given = await givenLlm();
      const response = await given.post(CHAT, chat('[[sandbox stallAfter=1]] one two'));
      const reader = response.body!.getReader();
      let seen = '';
      const more = async (): Promise<boolean> => {
        const piece = await reader.read();
        if (!piece.done) seen += Buffer.from(piece.value).toString();
        return !piece.done;
      };
      while (!seen.includes('"one"')) await more();
      const { requestId } = framesOf(seen.slice(0, seen.indexOf('\n\n')))[0]!.data;

      const status = await fetch(`${given.url}/api/llm/status/${String(requestId)}`, {
        headers: { authorization: 'Bearer ada' },
      });
      expect(await status.json()).to.include({
        requestId,
        provider: 'sandbox',
        status: 'active',
        openaiResponseId: null,
      });

      expect((await given.post('/api/llm/cancel', { requestId }, { as: 'grace' })).status).to.equal(403);
      const cancelled = await given.post('/api/llm/cancel', { requestId });
      expect(await cancelled.json()).to.include({ success: true });
      while (await more());
      expect(framesOf(seen).at(-1)).to.deep.include({ event: 'stream_cancelled' });
      expect(framesOf(seen).at(-1)!.data).to.include({ requestId, reason: 'cancelled on request' });
      expect((await given.post('/api/llm/cancel', { requestId })).status).to.equal(404);
      expect(given.last('ReservationCaptured')!.data).to.include({ endedBy: 'cancel' });
    });
  });

  describe('at once', () => {
    it('answers in camel case with the charge', async () => {
      given = await givenLlm();
      const response = await given.post(CHAT, chat('one two three', { stream: false }));
      const body = (await response.json()) as Record<string, unknown>;
      const cost = Number(given.last('ReservationCaptured')!.data.metered.cost) / 1e6;
      expect(body).to.include({ object: 'chat.completion', model: 'echo' });
      expect(body['id']).to.match(/^chatcmpl-/);
      expect(body['choices']).to.deep.equal([
        { index: 0, message: { role: 'assistant', content: 'one two three' }, finish_reason: 'stop' },
      ]);
      const { promptTokens, completionTokens, totalTokens } = body['usage'] as Record<string, number>;
      expect(completionTokens).to.equal(3);
      expect(totalTokens).to.equal(promptTokens! + 3);
      expect(body['usage']).to.include({ cost, cacheWriteTokens: 0, cacheReadTokens: 0 });
    });

    it('costs what the same request costs streamed', async () => {
      given = await givenLlm();
      await (await given.post(CHAT, chat('one two three', { stream: false }))).text();
      const whole = given.last('ReservationCaptured')!.data.metered;
      await (await given.post(CHAT, chat('one two three'))).text();
      expect(given.last('ReservationCaptured')!.data.metered).to.deep.equal(whole);
    });

    it('charges what was used when the client goes away', async () => {
      given = await givenLlm();
      const leaving = new AbortController();
      const asking = given.post(CHAT, chat('[[sandbox stallAfter=2]] a b c', { stream: false }), {
        signal: leaving.signal,
      });
      await eventually('two tokens', () => (given.sandbox.stats().outputTokens === 2 ? true : undefined));
      leaving.abort();
      await asking.catch(() => undefined);
      const captured = await eventually('the charge', () => given.last('ReservationCaptured'));
      expect(captured.data).to.include({ endedBy: 'client', estimated: true });
    });
  });

  describe('refused', () => {
    it('names the member that holds an unusable key', async () => {
      given = await givenLlm();
      const sent = await given.post(CHAT, { ...chat('Hi'), request_id: 'two words' });
      expect(sent.status).to.equal(400);
      expect(await sent.json()).to.include({
        message: 'Bad request: request_id must be 1 to 255 printable characters without spaces',
      });
    });

    it('answers 502 with Retry-After and none of the provider’s words', async () => {
      given = await givenLlm();
      for (const stream of [true, false]) {
        const response = await given.post(CHAT, chat('[[sandbox status=503 retryAfter=9]] x', { stream }));
        expect(response.status).to.equal(502);
        expect(response.headers.get('retry-after')).to.equal('9');
        const body = await problem(response);
        expect(body).to.include({ code: 502, error_type: 'external_service_error' });
        expect(body['message']).to.equal('External service error: sandbox is overloaded; wait and try again');
        expect(JSON.stringify(body)).to.not.include('told_to');
      }
      expect(given.completions.active()).to.equal(0);
    });

    it('answers 429 with Retry-After and the envelope to one stream too many', async () => {
      given = await givenLlm({ maxConcurrentPerUser: 2 });
      const leaving = new AbortController();
      const running = await Promise.all(
        [1, 2].map(() => given.post(CHAT, chat('[[sandbox stallAfter=1]] one two'), { signal: leaving.signal })),
      );
      expect(running.map(({ status }) => status)).to.deep.equal([200, 200]);
      const refused = await given.post(CHAT, chat('one'));
      expect(refused.status).to.equal(429);
      expect(Number(refused.headers.get('retry-after'))).to.be.greaterThan(0);
      expect(await refused.json()).to.include({ code: 429, error_type: 'rate_limit_error' });
      leaving.abort();
    });

    it('answers 402 before the provider is called', async () => {
      given = await givenLlm({ credit: 10n });
      const response = await given.post(CHAT, chat('Hello'));
      expect(response.status).to.equal(402);
      expect(await problem(response)).to.include({ error_type: 'credit_insufficient' });
      expect(given.sandbox.stats().requests).to.equal(0);
    });

    const wrong: readonly (readonly [string, object, string])[] = [
      [
        'an unknown kind of part',
        { messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] },
        'messages.0.content.0',
      ],
      ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, 'messages.0.role'],
      [
        'a picture on another server',
        {
          messages: [
            { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.test/a.png' } }] },
          ],
        },
        'points to another server',
      ],
      [
        'a document that the provider cannot read',
        {
          messages: [
            {
              role: 'user',
              content: [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'QUJD' } }],
            },
          ],
        },
        'takes no documents',
      ],
      ['no messages', { messages: [] }, 'messages'],
      ['an output limit of nothing', { max_tokens: 0 }, 'max_tokens'],
      ['a temperature that is too high', { temperature: 3 }, 'temperature'],
    ];
    for (const [what, over, says] of wrong) {
      it(`answers 400 to ${what}`, async () => {
        given = await givenLlm();
        const response = await given.post(CHAT, chat('x', over));
        expect(response.status).to.equal(400);
        const body = await problem(response);
        expect(body).to.include({ error_type: 'validation_error' });
        expect(body['message']).to.include(says);
        expect(given.types()).to.deep.equal([]);
      });
    }

    it('answers 404 to a model that nobody knows', async () => {
      given = await givenLlm();
      const response = await given.post(CHAT, chat('x', { model: 'acme/unheard-of' }));
      expect(response.status).to.equal(404);
    });
  });

  describe('with the official OpenAI SDK', () => {
    const client = (): OpenAI => new OpenAI({ baseURL: `${given.url}/api/llm`, apiKey: 'ada', maxRetries: 0 });

    it('streams', async () => {
      given = await givenLlm();
      const stream = await client().chat.completions.create({
        model: 'sandbox/echo',
        messages: [{ role: 'user', content: 'one two three' }],
        stream: true,
        max_completion_tokens: 50,
        stream_options: { include_usage: true },
      });
      let text = '';
      let finish: string | null | undefined;
      let tokens = 0;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        finish = chunk.choices[0]?.finish_reason ?? finish;
        tokens = chunk.usage?.completion_tokens ?? tokens;
      }
      expect({ text, finish, tokens }).to.deep.equal({ text: 'one two three', finish: 'stop', tokens: 3 });
    });

    it('streams through its helper', async () => {
      given = await givenLlm();
      const final = await client()
        .chat.completions.stream({ model: 'sandbox/echo', messages: [{ role: 'user', content: 'one two' }] })
        .finalChatCompletion();
      expect(final.choices[0]!.message.content).to.equal('one two');
      expect(final.choices[0]!.finish_reason).to.equal('stop');
    });

    it('learns of an error inside the stream', async () => {
      given = await givenLlm({ headWaitMs: 1 });
      const stream = await client().chat.completions.create({
        model: 'sandbox/echo',
        messages: [{ role: 'user', content: '[[sandbox latency=50 status=500]] x' }],
        stream: true,
      });
      try {
        for await (const _chunk of stream);
        expect.fail('nothing was thrown');
      } catch (error) {
        expect(error).to.be.instanceOf(OpenAI.APIError);
        expect((error as Error).message).to.include('sandbox failed');
      }
    });

    it('asks at once', async () => {
      given = await givenLlm();
      const answer = await client().chat.completions.create({
        model: 'sandbox/echo',
        messages: [{ role: 'user', content: 'one two' }],
      });
      expect(answer.choices[0]!.message.content).to.equal('one two');
    });
  });
});
