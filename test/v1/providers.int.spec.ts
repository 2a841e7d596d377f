import { expect } from 'chai';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources';
import { z } from 'zod';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import { eventually } from '../support/eventually.ts';
import { givenVoice } from './given-v1.ts';
import { USED, voices } from './voices.ts';

const TEXTS = ['Grüße ', '👋🏽, ', '世界'];
const TEXT = TEXTS.join('');
const CALL = { id: 'call_7', name: 'look', arguments: '{"at":"Köln"}' };
const ask: ChatCompletionMessageParam[] = [
  { role: 'developer', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'Who is there?' }] },
];
const tools: ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'look',
      description: 'Looks at a place.',
      parameters: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'] },
    },
  },
];

for (const [code, voice] of Object.entries(voices)) {
  describe(`the official SDK over ${code}`, () => {
    let given: Awaited<ReturnType<typeof givenVoice>>;
    const { model } = voice;

    beforeEach(async () => {
      given = await givenVoice(code, voice);
      given.upstream.answer({ frames: voice.frames({ texts: TEXTS }) });
    });
    afterEach(() => given.close());

    const charged = () => given.last('ReservationCaptured')!.data;

    it('streams, with usage, and is charged what the provider counted', async () => {
      const stream = await given.client.chat.completions.create({
        model,
        messages: ask,
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = '';
      let last: OpenAI.ChatCompletionChunk | undefined;
      const finishes: unknown[] = [];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        finishes.push(...chunk.choices.map(({ finish_reason }) => finish_reason));
        last = chunk;
      }
      expect(text).to.equal(TEXT);
      expect(finishes.filter((finish) => finish !== null)).to.deep.equal(['stop']);
      expect(last!.choices).to.deep.equal([]);
      expect(last!.usage).to.include({ prompt_tokens: USED.prompt, completion_tokens: USED.completion });
      expect(last!.model).to.equal(model);
      const { metered, endedBy } = charged();
      expect(endedBy).to.equal('provider');
      expect(metered.usage).to.include({ inputUncached: USED.prompt, outputVisible: USED.completion });
      expect(Number(metered.cost)).to.be.greaterThan(0);
    });

    it('asks at once, for the same price', async () => {
      const answer = await given.client.chat.completions.create({ model, messages: ask });
      expect(answer.choices).to.have.length(1);
      expect(answer.choices[0]).to.deep.include({ index: 0, finish_reason: 'stop', logprobs: null });
      expect(answer.choices[0]!.message).to.deep.include({ role: 'assistant', content: TEXT, refusal: null });
      expect(answer.usage).to.include({ prompt_tokens: USED.prompt, completion_tokens: USED.completion });
      expect(answer.usage!.total_tokens).to.equal(USED.prompt + USED.completion);
      const { cost } = charged().metered;
      await given.client.chat.completions.stream({ model, messages: ask }).finalChatCompletion();
      expect(charged().metered.cost).to.equal(cost);
    });

    it('calls a tool and reads its result', async () => {
      given.upstream.answer({ frames: voice.frames({ calls: [CALL] }) });
      const first = await given.client.chat.completions.create({ model, messages: ask, tools, tool_choice: 'auto' });
      const { message, finish_reason } = first.choices[0]!;
      expect(finish_reason).to.equal('tool_calls');
      expect(message.content).to.equal(null);
      const [call] = message.tool_calls!;
      expect(call).to.deep.include({ type: 'function' });
      const { name, arguments: args } = (call as OpenAI.ChatCompletionMessageFunctionToolCall).function;
      expect([name, JSON.parse(args)]).to.deep.equal(['look', { at: 'Köln' }]);

      given.upstream.answer({ frames: voice.frames({ texts: ['A ', 'dome.'] }) });
      const second = await given.client.chat.completions.create({
        model,
        messages: [...ask, message, { role: 'tool', tool_call_id: call!.id, content: 'a cathedral' }],
        tools,
      });
      expect(second.choices[0]!.message.content).to.equal('A dome.');
      expect(voice.toldResult(given.upstream.asked.at(-1)!.body)).to.include('a cathedral');
    });

    it('runs tools by the SDK’s own runner, streamed', async () => {
      given.upstream.answer(() => ({
        frames: voice.frames(given.upstream.asked.length === 1 ? { calls: [CALL] } : { texts: ['A ', 'dome.'] }),
      }));
      const seen: unknown[] = [];
      const runner = given.client.chat.completions.runTools({
        model,
        messages: ask,
        stream: true,
        tools: [
          {
            type: 'function',
            function: {
              name: 'look',
              description: 'Looks at a place.',
              parameters: { type: 'object', properties: { at: { type: 'string' } } },
              parse: JSON.parse,
              function: (args: unknown) => {
                seen.push(args);
                return 'a cathedral';
              },
            },
          },
        ],
      });
      expect(await runner.finalContent()).to.equal('A dome.');
      expect(seen).to.deep.equal([{ at: 'Köln' }]);
      expect(given.types().filter((type) => type === 'ReservationCaptured')).to.have.length(2);
    });

    it('asks for JSON by a schema', async () => {
      given.upstream.answer({ frames: voice.frames({ texts: ['{"name":', '"Ada"}'] }) });
      const answer = await given.client.chat.completions.parse({
        model,
        messages: ask,
        response_format: zodResponseFormat(z.object({ name: z.string() }), 'person'),
      });
      expect(answer.choices[0]!.message.parsed).to.deep.equal({ name: 'Ada' });
      expect(voice.askedFormat(given.upstream.asked[0]!.body)).to.have.nested.property('properties.name');
    });

    it('asks for JSON without a schema, or learns that there is no such thing', async () => {
      given.upstream.answer({ frames: voice.frames({ texts: ['{"name":', '"Ada"}'] }) });
      const asked = given.client.chat.completions.create({
        model,
        messages: ask,
        response_format: { type: 'json_object' },
      });
      if (voice.askedJson === undefined) {
        const failure = await asked.then(
          () => expect.fail('nothing was thrown'),
          (error: unknown) => error,
        );
        expect(failure).to.be.instanceOf(OpenAI.BadRequestError);
        expect(failure).to.include({ param: 'response_format', code: 'unsupported_value' });
        return;
      }
      expect(JSON.parse((await asked).choices[0]!.message.content!)).to.deep.equal({ name: 'Ada' });
      expect(voice.askedJson(given.upstream.asked[0]!.body)).to.equal(true);
    });

    it('leaves while it waits for an answer in one piece, and nothing stays on hold', async () => {
      const frames = voice.frames({ texts: TEXTS });
      given.upstream.answer(({ path }) =>
        path.includes('generation') ? { status: 404, body: {} } : { frames, stallAfter: frames.length - 1 },
      );
      const leaving = new AbortController();
      const asked = given.client.chat.completions.create({ model, messages: ask }, { signal: leaving.signal });
      const failure = asked.then(
        () => expect.fail('nothing was thrown'),
        (error: unknown) => error,
      );
      await eventually('the call', () => given.upstream.asked[0]);
      await eventually('the answer', () => (given.completions.active() === 1 ? true : undefined));
      leaving.abort();
      expect(await failure).to.be.instanceOf(OpenAI.APIUserAbortError);
      if (code === 'google') given.upstream.goOn();
      await eventually('nothing running', () => (given.completions.active() === 0 ? true : undefined));
      expect(given.said().at(-1)!.data.after.held).to.equal('0');
    });

    it('leaves in the middle, and is charged as the provider’s policy says', async () => {
      const frames = voice.frames({ texts: TEXTS });
      const heard = frames.findIndex((frame) => frame.includes(TEXTS[1]!)) + 1;
      given.upstream.answer(({ path }) =>
        path.includes('generation')
          ? {
              status: 200,
              body: {
                data: {
                  native_tokens_prompt: USED.prompt,
                  native_tokens_completion: countTokens(TEXTS[0]! + TEXTS[1]!),
                },
              },
            }
          : { frames, stallAfter: heard },
      );
      const stream = await given.client.chat.completions.create({ model, messages: ask, stream: true });
      let text = '';
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        if (text === TEXTS[0]! + TEXTS[1]!) stream.controller.abort();
      }
      expect(text).to.equal(TEXTS[0]! + TEXTS[1]!);
      // Google counts on when it is left, so that its answer is read to the end for the count.
      if (code === 'google') given.upstream.goOn();
      else await eventually('the end at the provider', () => (given.upstream.left() === 1 ? true : undefined));
      const captured = await eventually('the charge', () => given.last('ReservationCaptured'));
      const told = code === 'google' ? USED.completion : countTokens(text);
      expect(captured.data.metered.usage.outputVisible).to.equal(told);
      expect(given.said().at(-1)!.data.after.held).to.equal('0');
      await eventually('nothing running', () => (given.completions.active() === 0 ? true : undefined));
    });

    it('learns of a provider that fails as a server error, without its words', async () => {
      given.upstream.answer({ status: 500, body: voice.refusal('secret words') });
      for (const stream of [true, false]) {
        const failure = await given.client.chat.completions
          .create({ model, messages: ask, stream })
          .then(() => expect.fail('nothing was thrown'))
          .catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(OpenAI.InternalServerError);
        expect(failure).to.include({ status: 502, type: 'server_error' });
        expect((failure as Error).message).to.not.include('secret');
        expect((failure as InstanceType<typeof OpenAI.APIError>).requestID).to.be.a('string');
      }
      expect(given.said().at(-1)!.data.after.held).to.equal('0');
      expect(given.last('ReservationCaptured')).to.equal(undefined);
    });

    it('learns which parameter the provider cannot do, and is not charged', async () => {
      const failure = await given.client.chat.completions
        .create({ model, messages: ask, ...voice.cannot.over })
        .then(() => expect.fail('nothing was thrown'))
        .catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(OpenAI.BadRequestError);
      expect(failure).to.include({
        type: 'invalid_request_error',
        param: voice.cannot.param,
        code: 'unsupported_value',
      });
      expect(given.types()).to.deep.equal([]);
      expect(given.upstream.asked).to.deep.equal([]);
    });

    it('throws when the answer breaks in the middle, and keeps what came', async () => {
      const frames = voice.frames({ texts: TEXTS });
      const heard = frames.findIndex((frame) => frame.includes(TEXTS[1]!)) + 1;
      given.upstream.answer({ frames: frames.slice(0, heard) });
      const stream = await given.client.chat.completions.create({ model, messages: ask, stream: true });
      let text = '';
      let thrown: unknown;
      try {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      } catch (error) {
        thrown = error;
      }
      expect(text).to.equal(TEXTS[0]! + TEXTS[1]!);
      expect(thrown).to.be.instanceOf(OpenAI.APIError);
      expect(thrown).to.include({ type: 'server_error' });
      expect(charged().metered.usage.outputVisible).to.be.greaterThan(0);
      expect(given.said().at(-1)!.data.after.held).to.equal('0');
    });
  });
}
