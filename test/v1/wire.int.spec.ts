import { expect } from 'chai';
import OpenAI from 'openai';
import { framesOf, type Frame } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { givenSandbox, givenVoice, type GivenV1 } from './given-v1.ts';
import type { Asked } from './speaking-upstream.ts';
import { voices } from './voices.ts';

type Chunk = Readonly<{
  id: string;
  choices: readonly Readonly<{ delta: Record<string, unknown>; finish_reason: string | null }>[];
  usage?: object | null;
}>;

const ask = (text: string, over: object = {}): object => ({
  model: 'sandbox/echo',
  messages: [{ role: 'user', content: text }],
  ...over,
});

const USAGE = {
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

const chunksOf = (frames: readonly Frame[]): readonly Chunk[] => frames.slice(0, -1).map(({ data }) => data as Chunk);

describe('the wire at /v1/chat/completions', () => {
  let given: GivenV1;
  afterEach(() => given.close());

  it('answers at once with exactly the members that OpenAI has', async () => {
    given = await givenSandbox();
    const response = await given.post(ask('one two three', { temperature: 0, max_completion_tokens: 50 }));
    expect(response.status).to.equal(200);
    expect(response.headers.get('x-request-id')).to.be.a('string');
    const body = (await response.json()) as Record<string, unknown>;
    const { id, created, usage, ...rest } = body;
    expect(id).to.match(/^chatcmpl-[\w-]+$/);
    expect(created).to.be.closeTo(Date.now() / 1000, 60);
    expect(rest).to.deep.equal({
      object: 'chat.completion',
      model: 'sandbox/echo',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'one two three', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      system_fingerprint: null,
    });
    const { prompt_tokens, total_tokens, ...others } = usage as Record<string, number>;
    expect(others).to.deep.equal({ completion_tokens: 3, ...USAGE });
    expect(total_tokens).to.equal(prompt_tokens! + 3);
  });

  it('streams unnamed frames: the role, the pieces, the reason and [DONE]', async () => {
    given = await givenSandbox();
    const response = await given.post(ask('one two', { stream: true }));
    expect(response.headers.get('content-type')).to.equal('text/event-stream');
    const text = await response.text();
    expect(text).to.not.include('event:');
    const frames = framesOf(text);
    expect(frames.at(-1)!.data).to.equal('[DONE]');
    const chunks = chunksOf(frames);
    expect(new Set(chunks.map(({ id }) => id)).size).to.equal(1);
    expect(chunks[0]).to.deep.include({
      object: 'chat.completion.chunk',
      model: 'sandbox/echo',
      system_fingerprint: null,
    });
    expect(chunks.flatMap(({ choices }) => choices)).to.deep.equal([
      { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
      { index: 0, delta: { content: 'one' }, logprobs: null, finish_reason: null },
      { index: 0, delta: { content: ' two' }, logprobs: null, finish_reason: null },
      { index: 0, delta: {}, logprobs: null, finish_reason: 'stop' },
    ]);
    expect(chunks.some((chunk) => 'usage' in chunk)).to.equal(false);
  });

  it('tells the usage in a chunk of its own when asked, and null before', async () => {
    given = await givenSandbox();
    const response = await given.post(ask('one two', { stream: true, stream_options: { include_usage: true } }));
    const chunks = chunksOf(framesOf(await response.text()));
    expect(chunks.slice(0, -1).map(({ usage }) => usage)).to.deep.equal([null, null, null, null]);
    expect(chunks.at(-1)!.choices).to.deep.equal([]);
    expect(chunks.at(-1)!.usage).to.deep.include({ completion_tokens: 2, ...USAGE });
  });

  it('has written the charge before the reason of the end and [DONE]', async () => {
    given = await givenSandbox();
    let openGate: (() => void) | undefined;
    given.store.beforeAppend((_stream, [event]) =>
      event?.type === 'ReservationCaptured' ? new Promise<void>((resolve) => (openGate = resolve)) : undefined,
    );
    const response = await given.post(ask('one two', { stream: true }));
    let seen = '';
    const reading = (async () => {
      for await (const piece of response.body!) seen += Buffer.from(piece).toString();
    })();
    await eventually('the append', () => openGate);
    await eventually('all text', () => (seen.includes('" two"') ? true : undefined));
    expect(seen).to.not.include('[DONE]');
    expect(seen).to.not.include('"stop"');
    openGate!();
    await reading;
    expect(seen).to.match(/"finish_reason":"stop"[^\n]*\n\ndata: \[DONE\]\n\n$/);
  });

  it('says length at the output limit', async () => {
    given = await givenSandbox();
    for (const limit of ['max_tokens', 'max_completion_tokens']) {
      const response = await given.post(ask('one two three', { [limit]: 2 }));
      expect(await response.json()).to.have.nested.property('choices[0].finish_reason', 'length');
    }
  });

  it('tells an error inside the stream, ends it, and does not say [DONE]', async () => {
    given = await givenSandbox();
    const response = await given.post(ask('[[sandbox failAfter=2]] one two three', { stream: true }));
    const frames = framesOf(await response.text());
    expect(frames.at(-1)!.data).to.deep.equal({
      error: {
        message: 'External service error: sandbox failed; try again',
        type: 'server_error',
        param: null,
        code: 'external_service_error',
      },
    });
    expect(frames.some(({ data }) => data === '[DONE]')).to.equal(false);
    expect(given.last('ReservationCaptured')!.data.metered.usage.outputVisible).to.equal(2);
  });

  it('charges nothing for a stream that fails before its first piece', async () => {
    given = await givenSandbox({ headWaitMs: 1 });
    const response = await given.post(ask('[[sandbox latency=50 status=503]] x', { stream: true }));
    expect(response.status).to.equal(200);
    const frames = framesOf(await response.text());
    expect(frames).to.have.length(2);
    expect(frames[1]!.data).to.have.nested.property('error.type', 'server_error');
    expect(given.last('ReservationReleased')!.data.reason).to.equal('provider_failed');
  });

  it('keeps the connection for the next request, also after an error inside a stream', async () => {
    given = await givenSandbox();
    for (const text of ['[[sandbox failAfter=1]] one two', 'three']) {
      const frames = framesOf(await (await given.post(ask(text, { stream: true }))).text());
      expect(frames.length).to.be.greaterThan(2);
    }
  });

  it('gives the same answer again for the same Idempotency-Key, charged once, and refuses it another body', async () => {
    given = await givenSandbox();
    const create = (text: string) =>
      given.client.chat.completions.create(
        { model: 'sandbox/echo', messages: [{ role: 'user', content: text }] },
        { headers: { 'Idempotency-Key': 'wish-1' }, maxRetries: 5 },
      );
    const answers = [await create('one two'), ...(await Promise.all([create('one two'), create('one two')]))];
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1);
    expect(given.types().filter((type) => type === 'ReservationCaptured')).to.have.length(1);
    const failure = await create('three').catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(OpenAI.ConflictError);
    expect((failure as InstanceType<typeof OpenAI.APIError>).headers!.get('x-should-retry')).to.equal('false');
  });

  it('hands large pictures on as they came', async () => {
    for (const code of ['openai', 'anthropic', 'google'] as const) {
      const { model, frames } = voices[code]!;
      const spoken = await givenVoice(code, voices[code]!);
      given = spoken;
      spoken.upstream.answer({ frames: frames({ texts: ['Two.'] }) });
      const pictures = ['A', 'B'].map((letter) => letter.repeat(800_000));
      const content = pictures.map((data) => ({
        type: 'image_url',
        image_url: { url: `data:image/png;base64,${data}` },
      }));
      const answer = await given.post({ model, messages: [{ role: 'user', content }] });
      expect(answer.status).to.equal(200);
      const [{ body, length }] = spoken.upstream.asked as [Asked];
      const text = JSON.stringify(body);
      expect(length).to.equal(Buffer.byteLength(text).toString());
      expect(pictures.map((data) => text.split(data).length - 1)).to.deep.equal([1, 1]);
      if (code !== 'google') await given.close();
    }
  });

  describe('what models say besides text', () => {
    const voice = voices['openai']!;
    const body = (over: object = {}) => ({ model: voice.model, messages: [{ role: 'user', content: 'x' }], ...over });

    it('numbers calls from zero without gaps', async () => {
      const spoken = await givenVoice('anthropic', voices['anthropic']!);
      given = spoken;
      const calls = ['a', 'b'].map((id) => ({ id, name: 'look', arguments: '{"at":1}' }));
      spoken.upstream.answer({ frames: voices['anthropic']!.frames({ texts: ['Hm.'], calls }) });
      const response = await given.post({ ...body({ stream: true }), model: voices['anthropic']!.model });
      const deltas = chunksOf(framesOf(await response.text())).flatMap(({ choices }) =>
        choices.flatMap(({ delta }) => (delta['tool_calls'] ?? []) as { index: number; id?: string; type?: string }[]),
      );
      expect(deltas.filter(({ id }) => id !== undefined).map(({ index, id, type }) => [index, id, type])).to.deep.equal(
        [
          [0, 'a', 'function'],
          [1, 'b', 'function'],
        ],
      );
      expect(new Set(deltas.map(({ index }) => index))).to.deep.equal(new Set([0, 1]));
    });

    it('tells a refusal as such', async () => {
      const spoken = await givenVoice('openai', voice);
      given = spoken;
      const frames = voice
        .frames({ texts: ['I would rather not.'] })
        .map((frame) => frame.replaceAll('response.output_text.delta', 'response.refusal.delta'));
      spoken.upstream.answer({ frames });
      const whole = await (await given.post(body())).json();
      expect(whole).to.have.deep.nested.property('choices[0].message', {
        role: 'assistant',
        content: null,
        refusal: 'I would rather not.',
      });
      const streamed = chunksOf(framesOf(await (await given.post(body({ stream: true }))).text()));
      expect(streamed[1]!.choices[0]!.delta).to.deep.equal({ refusal: 'I would rather not.' });
    });

    it('tells reasoning beside the text', async () => {
      const { model, frames } = voices['xai']!;
      const spoken = await givenVoice('xai', voices['xai']!);
      given = spoken;
      const [first, ...rest] = frames({ texts: ['Hello'] });
      const thought = first!.replace('"content":"Hello"', '"reasoning_content":"A greeting."');
      spoken.upstream.answer({ frames: [thought, first!, ...rest] });
      const whole = await (await given.post({ ...body(), model })).json();
      expect(whole).to.have.nested.property('choices[0].message.content', 'Hello');
      expect(whole).to.have.nested.property('choices[0].message.reasoning_content', 'A greeting.');
    });

    it('fails, for good, when the model ends with a fault of its own', async () => {
      const { model, frames } = voices['google']!;
      const spoken = await givenVoice('google', voices['google']!);
      given = spoken;
      spoken.upstream.answer({
        frames: frames({ texts: ['So far'] }).map((frame) => frame.replace('"STOP"', '"MALFORMED_FUNCTION_CALL"')),
      });
      const whole = await given.post({ ...body(), model });
      expect(whole.status).to.equal(502);
      expect(whole.headers.get('x-should-retry')).to.equal('false');
      const frameList = framesOf(await (await given.post({ ...body({ stream: true }), model })).text());
      expect(frameList.at(-2)!.data).to.have.nested.property('choices[0].delta.content', 'So far');
      expect(frameList.at(-1)!.data).to.have.nested.property('error.type', 'server_error');
    });
  });
});
