import { expect } from 'chai';
import { usageMeter, type UsageMeter } from '../../commands/completions/usage-meter.ts';
import { generateDecoder } from '../../infra/providers/google/generate-decode.ts';
import { responsesDecoder } from '../../infra/providers/openai/responses-decode.ts';
import { messagesDecoder } from '../../infra/providers/anthropic/messages-decode.ts';
import type { StreamDecoder } from '../../infra/providers/shared/event-batches.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import type { Usage } from '../../src/kernel/usage.ts';

const price = { input: 1_000_000n, output: 2_000_000n, webSearch: 10_000_000_000n };

const metering = (decoder: StreamDecoder, events: readonly unknown[]): UsageMeter => {
  const meter = usageMeter(price, 99, { count: countTokens });
  const out: UpstreamEvent[] = [];
  for (const event of events) decoder.event(event, out);
  meter.take(out);
  return meter;
};

const usageOf = async (meter: UsageMeter): Promise<Usage> => {
  await meter.count();
  return meter.read().metered.usage;
};

describe('an answer that is left in the middle', () => {
  it('costs what Anthropic said of the prompt and what it had written', async () => {
    const meter = metering(messagesDecoder('anthropic'), [
      {
        type: 'message_start',
        message: { id: 'm', model: 'm', usage: { input_tokens: 10, cache_read_input_tokens: 500, output_tokens: 1 } },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'one two three' } },
    ]);
    expect(await usageOf(meter)).to.deep.include({
      inputUncached: 10,
      inputCachedRead: 500,
      outputVisible: 3,
      outputReasoning: 0,
      source: 'early',
      complete: false,
    });
    expect(meter.read().estimated).to.equal(true);
  });

  it('costs what Gemini had counted so far, hidden thoughts included', async () => {
    const chunk = (text: string, usageMetadata: object) => ({
      candidates: [{ content: { parts: [{ text }] } }],
      usageMetadata,
      responseId: 'r',
    });
    const counts = { promptTokenCount: 20, thoughtsTokenCount: 300 };
    const meter = metering(generateDecoder('google'), [
      chunk('', counts),
      chunk('one two three', { ...counts, candidatesTokenCount: 4 }),
    ]);
    expect(await usageOf(meter)).to.deep.include({
      inputUncached: 20,
      outputVisible: 4,
      outputReasoning: 300,
      source: 'early',
      complete: false,
    });
  });

  it('costs the searches that were made', async () => {
    const search = (status: string, kind: string) => ({
      type: 'response.output_item.done',
      item: { type: 'web_search_call', status, action: { type: kind } },
    });
    const meter = metering(responsesDecoder('openai'), [
      { type: 'response.created', response: { id: 'r' } },
      search('completed', 'search'),
      search('completed', 'open_page'),
      search('failed', 'search'),
      search('completed', 'search'),
      { type: 'response.output_text.delta', delta: 'one two three' },
    ]);
    expect(await usageOf(meter)).to.deep.include({ inputUncached: 99, outputVisible: 3, webSearches: 2 });
    const { metered } = meter.read();
    expect(metered.lines.at(-1)).to.deep.equal({
      class: 'web_search',
      tokens: 2,
      ratePico: '10000000000',
      costPico: '20000000000',
    });
    meter.restart();
    expect(meter.read().metered.usage.webSearches).to.equal(undefined);
  });

  it('never costs less than what was shown', async () => {
    const chunk = {
      candidates: [{ content: { parts: [{ text: 'one two three' }] } }],
      usageMetadata: { promptTokenCount: 20 },
    };
    expect(await usageOf(metering(generateDecoder('google'), [chunk]))).to.include({ outputVisible: 3 });
  });
});
