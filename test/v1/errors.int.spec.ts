import { expect } from 'chai';
import OpenAI from 'openai';
import { defaultLimits } from '../../src/http/limits.ts';
import { eventually } from '../support/eventually.ts';
import { givenSandbox, givenVoice, type GivenV1 } from './given-v1.ts';
import { voices } from './voices.ts';

type Told = Readonly<{ message: string; type: string; param: string | null; code: string | null }>;

const ask = (text: string, over: object = {}) => ({
  model: 'sandbox/echo',
  messages: [{ role: 'user' as const, content: text }],
  ...over,
});

const errorOf = async (response: Response): Promise<Told> => {
  const body = (await response.json()) as { error: Told };
  expect(Object.keys(body)).to.deep.equal(['error']);
  expect(Object.keys(body.error)).to.have.members(['message', 'type', 'param', 'code']);
  expect(response.headers.get('x-request-id')).to.be.a('string');
  return body.error;
};

const thrownBy = async (asking: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
  try {
    await asking;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
};

describe('errors below /v1', () => {
  let given: GivenV1;
  afterEach(() => given.close());

  describe('with the official SDK', () => {
    const create = (over: object = {}) => given.client.chat.completions.create(ask('Hello', over));

    it('are an AuthenticationError for a key that nobody knows', async () => {
      given = await givenSandbox();
      const stranger = new OpenAI({ baseURL: `${given.url}/v1`, apiKey: 'sk-wrong' });
      for (const asking of [() => stranger.chat.completions.create(ask('x')), () => stranger.models.list()]) {
        const error = await thrownBy(Promise.resolve(asking()));
        expect(error).to.be.instanceOf(OpenAI.AuthenticationError);
        expect(error).to.include({ status: 401, type: 'invalid_request_error', code: 'invalid_api_key' });
      }
    });

    it('are a NotFoundError for a model that nobody knows, or that this server cannot reach', async () => {
      given = await givenSandbox();
      for (const model of ['acme/unheard-of', 'openai/gpt-5-mini', 'openai/gpt-4o-transcribe']) {
        const error = await thrownBy(create({ model }));
        expect(error).to.be.instanceOf(OpenAI.NotFoundError);
        expect(error).to.include({ status: 404, param: 'model', code: 'model_not_found' });
        expect(error.message).to.include(model);
      }
      expect(given.types()).to.deep.equal([]);
    });

    it('are a BadRequestError that names the parameter', async () => {
      given = await givenSandbox();
      const error = await thrownBy(create({ logprobs: true }));
      expect(error).to.be.instanceOf(OpenAI.BadRequestError);
      expect(error).to.include({ status: 400, param: 'logprobs', code: 'unsupported_parameter' });
    });

    it('tell that credit is short in a way that is not tried again', async () => {
      given = await givenSandbox({ credit: 10n });
      let calls = 0;
      const client = new OpenAI({
        baseURL: `${given.url}/v1`,
        apiKey: 'ada',
        maxRetries: 5,
        fetch: (...call) => {
          calls += 1;
          return fetch(...call);
        },
      });
      const error = await thrownBy(Promise.resolve(client.chat.completions.create(ask('Hello'))));
      expect(error).to.include({ status: 402, type: 'insufficient_quota', code: 'insufficient_quota' });
      expect(calls).to.equal(1);
    });

    it('are a RateLimitError with Retry-After when too many requests run at once', async () => {
      given = await givenSandbox({ maxConcurrentPerUser: 1 });
      const stream = await given.client.chat.completions.create({
        ...ask('[[sandbox stallAfter=1]] a b'),
        stream: true,
      });
      const error = await thrownBy(create());
      expect(error).to.be.instanceOf(OpenAI.RateLimitError);
      expect(error).to.include({ status: 429, type: 'requests', code: 'rate_limit_exceeded' });
      expect(error.headers!.get('retry-after')).to.equal('1');
      stream.controller.abort();
      await eventually('the end', () => (given.completions.active() === 0 ? true : undefined));
      // The SDK waits as it is told and tries again by itself.
      const answer = await new OpenAI({ baseURL: `${given.url}/v1`, apiKey: 'ada' }).chat.completions.create(ask('b'));
      expect(answer.choices[0]!.message.content).to.equal('b');
    });

    it('are an InternalServerError for a provider that fails, which the SDK tries again', async () => {
      const voice = voices['xai']!;
      const spoken = await givenVoice('xai', voice);
      given = spoken;
      spoken.upstream.answer(() =>
        spoken.upstream.asked.length === 1
          ? { status: 500, body: voice.refusal('x') }
          : { frames: voice.frames({ texts: ['Now.'] }) },
      );
      const client = new OpenAI({ baseURL: `${given.url}/v1`, apiKey: 'ada', maxRetries: 1 });
      const answer = await client.chat.completions.create({ ...ask('Hello'), model: voice.model });
      expect(answer.choices[0]!.message.content).to.equal('Now.');
    });

    it('are told as final where the provider would refuse the same again', async () => {
      const voice = voices['xai']!;
      const spoken = await givenVoice('xai', voice);
      given = spoken;
      spoken.upstream.answer({ status: 400, body: voice.refusal('no') });
      const client = new OpenAI({ baseURL: `${given.url}/v1`, apiKey: 'ada', maxRetries: 5 });
      const error = await thrownBy(
        Promise.resolve(client.chat.completions.create({ ...ask('Hello'), model: voice.model })),
      );
      expect(error).to.be.instanceOf(OpenAI.BadRequestError);
      expect(error).to.include({ status: 400, type: 'invalid_request_error', code: null });
      expect(spoken.upstream.asked).to.have.length(1);
    });

    it('tell a prompt that is too long by OpenAI’s code, whoever finds it out', async () => {
      const voice = voices['xai']!;
      const spoken = await givenVoice('xai', voice);
      given = spoken;
      spoken.upstream.answer({
        status: 400,
        body: voice.refusal('This model has a maximum context length of 1 token'),
      });
      for (const text of ['short', 'long '.repeat(300_000)]) {
        const error = await thrownBy(given.client.chat.completions.create({ ...ask(text), model: voice.model }));
        expect(error).to.be.instanceOf(OpenAI.BadRequestError);
        expect(error).to.include({ code: 'context_length_exceeded', param: 'messages' });
      }
      expect(spoken.upstream.asked).to.have.length(1);
    });

    it('end a stream with an APIError', async () => {
      given = await givenSandbox();
      const stream = await given.client.chat.completions.create({
        ...ask('[[sandbox failAfter=1]] one two'),
        stream: true,
      });
      const error = await thrownBy(
        (async () => {
          for await (const _chunk of stream);
        })(),
      );
      expect(error).to.include({ type: 'server_error' });
    });
  });

  describe('of every layer', () => {
    const refusals: readonly (readonly [string, (url: string) => Promise<Response>, number, Partial<Told>])[] = [
      ['no key', (url) => fetch(`${url}/v1/models`), 401, { code: 'invalid_api_key' }],
      ['an unknown path', (url) => fetch(`${url}/v1/nothing/here`), 404, { code: 'unknown_url' }],
      ['the root', (url) => fetch(`${url}/v1`), 404, { code: 'unknown_url' }],
      [
        'a method that is not taken',
        (url) => fetch(`${url}/v1/chat/completions`, { method: 'PUT' }),
        405,
        { code: 'method_not_supported' },
      ],
      ['a broken address', (url) => fetch(`${url}/v1/models/%zz`), 400, { code: null }],
    ];
    for (const [what, call, status, told] of refusals) {
      it(`are in OpenAI’s shape for ${what}`, async () => {
        given = await givenSandbox();
        const response = await call(given.url);
        expect(response.status).to.equal(status);
        expect(await errorOf(response)).to.include({ type: 'invalid_request_error', param: null, ...told });
      });
    }

    it('are in OpenAI’s shape for bodies that are none', async () => {
      given = await givenSandbox();
      for (const body of ['{"model":', '[]', '"text"', '']) {
        const response = await given.post(body);
        expect(response.status, body).to.equal(400);
        expect(await errorOf(response)).to.include({ type: 'invalid_request_error' });
      }
      const form = await fetch(`${given.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer ada', 'content-type': 'text/plain' },
        body: 'x',
      });
      expect(form.status).to.equal(400);
      expect(await errorOf(form)).to.include({ type: 'invalid_request_error', code: 'unsupported_content_type' });
    });

    it('are in OpenAI’s shape for a body that is too large', async () => {
      given = await givenSandbox();
      const response = await fetch(`${given.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer ada', 'content-type': 'application/json' },
        body: ' '.repeat(129 * 1024 * 1024),
      });
      expect(response.status).to.equal(413);
      expect(await errorOf(response)).to.include({ type: 'invalid_request_error', code: 'payload_too_large' });
    });

    it('are in OpenAI’s shape for too many requests', async () => {
      const limits = { ...defaultLimits, read: { perIp: 100, perUser: 1, windowSeconds: 60 } };
      given = await givenSandbox({ http: { limits } });
      await given.client.models.list();
      const error = await thrownBy(Promise.resolve(given.client.models.list()));
      expect(error).to.be.instanceOf(OpenAI.RateLimitError);
      expect(Number(error.headers!.get('retry-after'))).to.be.greaterThan(0);
    });
  });
});
