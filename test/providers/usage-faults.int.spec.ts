import { expect } from 'chai';
import { usageMeter, type Reading } from '../../commands/completions/usage-meter.ts';
import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { completionTokens, promptTokens } from '../../src/kernel/usage.ts';
import { givenProviders } from './given-providers.ts';
import { request } from './replay.ts';
import { replayingUpstream, type ReplayingUpstream } from './replaying-upstream.ts';

/** What the provider counted, and what we count of the same: the prompt by the estimate, the answer by its text. */
const TOLD = { prompt: 100, completion: 8 };
const OURS = { prompt: 90, completion: 3 };
const WORDS = 'one two three';
/** A number that makes no sense. */
const NONSENSE = -8;

type Usage = Readonly<{ prompt: unknown; completion: unknown }>;
/** Usage as it comes: the blocks of the last event and of those that follow the end. */
type Blocks = Readonly<{ last: readonly (Usage | undefined)[]; after?: readonly Usage[] }>;
type Voice = (blocks: Blocks) => readonly object[];

const chatUsage = (usage: Usage | undefined): object =>
  usage === undefined
    ? {}
    : {
        usage: {
          prompt_tokens: usage.prompt,
          completion_tokens: usage.completion,
          total_tokens: TOLD.prompt + TOLD.completion,
        },
      };

const chat: Voice = ({ last, after = [] }) => [
  { id: 'c', choices: [{ index: 0, delta: { content: WORDS }, finish_reason: 'stop' }] },
  ...last.map((usage) => ({ id: 'c', choices: [], ...chatUsage(usage) })),
  ...after.map((usage) => ({ id: 'c', choices: [], ...chatUsage(usage) })),
];

const completed = (usage: Usage | undefined): object => ({
  type: 'response.completed',
  response: {
    id: 'r',
    status: 'completed',
    output: [],
    ...(usage === undefined ? {} : { usage: { input_tokens: usage.prompt, output_tokens: usage.completion } }),
  },
});

/** The voices of the providers. Anthropic tells the prompt at the start, rightly in all cases. */
const voices: Readonly<Record<string, Voice>> = {
  openai: ({ last, after = [] }) => [
    { type: 'response.output_text.delta', delta: WORDS },
    ...[...last, ...after].map(completed),
  ],
  anthropic: ({ last, after = [] }) => {
    const delta = (usage: Usage | undefined): object => ({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn' },
      ...(usage === undefined ? {} : { usage: { output_tokens: usage.completion } }),
    });
    return [
      { type: 'message_start', message: { id: 'm', usage: { input_tokens: TOLD.prompt, output_tokens: 1 } } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: WORDS } },
      ...last.map(delta),
      { type: 'message_stop' },
      ...after.map(delta),
    ];
  },
  google: ({ last, after = [] }) => {
    const told = (usage: Usage | undefined): object =>
      usage === undefined
        ? {}
        : { usageMetadata: { promptTokenCount: usage.prompt, candidatesTokenCount: usage.completion } };
    return [
      { responseId: 'g', candidates: [{ content: { parts: [{ text: WORDS }] } }] },
      ...last.map((usage) => ({ candidates: [{ finishReason: 'STOP' }], ...told(usage) })),
      ...after.map(told),
    ];
  },
  xai: chat,
  openrouter: chat,
};

const told: Usage = TOLD;
const counted = (provider: string) => (provider === 'anthropic' ? { ...OURS, prompt: TOLD.prompt } : OURS);

for (const [code, { make, modelId }] of Object.entries(givenProviders)) {
  describe(`usage of ${code}`, () => {
    const { price } = loadCatalogue({ embedded: false }).models.find(({ id }) => id === modelId)!;
    let server: ReplayingUpstream;
    let upstream: ChatUpstream;

    before(async () => {
      server = await replayingUpstream();
      upstream = make(server.url);
    });
    after(async () => {
      await upstream.close();
      await server.stop();
    });

    const charge = async (blocks: Blocks): Promise<Reading> => {
      const frames = voices[code]!(blocks).map((event) => `data: ${JSON.stringify(event)}\n\n`);
      server.answer({ status: 200, contentType: 'text/event-stream', body: Buffer.from(frames.join('')) });
      const meter = usageMeter(price, OURS.prompt, { count: countTokens });
      const { signal } = new AbortController();
      for await (const batch of await upstream.stream(request(), { signal })) meter.take(batch);
      await meter.count();
      return meter.read();
    };

    const thenCharged = ({ metered, estimated }: Reading, tokens: typeof TOLD, byUs: boolean): void => {
      expect({ prompt: promptTokens(metered.usage), completion: completionTokens(metered.usage) }).to.deep.equal(
        tokens,
      );
      expect(estimated).to.equal(byUs);
      const exact = BigInt(tokens.prompt) * price.input + BigInt(tokens.completion) * price.output;
      expect(BigInt(metered.costPico)).to.equal(exact);
      expect(Number(metered.cost)).to.be.greaterThan(0);
    };

    it('is charged as it was told', async () => {
      thenCharged(await charge({ last: [told] }), TOLD, false);
    });

    it('is charged once when it is told twice', async () => {
      thenCharged(await charge({ last: [told, told] }), TOLD, false);
    });

    it('is charged once when it is told again after the end', async () => {
      thenCharged(await charge({ last: [told], after: [told] }), TOLD, false);
    });

    it('is charged by our own count, and marked, when it is missing', async () => {
      thenCharged(await charge({ last: [undefined] }), counted(code), true);
    });

    it('is charged by our own count, and marked, when it makes no sense', async () => {
      for (const completion of [NONSENSE, '8', 1.5]) {
        thenCharged(await charge({ last: [{ prompt: TOLD.prompt, completion }] }), counted(code), true);
      }
    });

    it('is charged by our own count, and marked, when it says that nothing was said', async () => {
      const { metered, estimated } = await charge({ last: [{ prompt: TOLD.prompt, completion: 0 }] });
      expect(estimated).to.equal(true);
      expect(completionTokens(metered.usage)).to.equal(OURS.completion);
      expect(promptTokens(metered.usage)).to.equal(TOLD.prompt);
    });
  });
}
