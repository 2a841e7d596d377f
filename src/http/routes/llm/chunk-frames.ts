import { detailOf } from '../../../kernel/thought-details.ts';
import type { UpstreamEvent } from '../../../kernel/upstream.ts';
import { completionTokens, promptTokens, type Usage } from '../../../kernel/usage.ts';
import { usdNumber, type MicroUsd } from '../../../kernel/money.ts';
import { sealOf } from './whole-answer.ts';

/** Usage as it stands inside chunks: snake case, unlike everywhere else. */
export const chunkUsage = (usage: Usage, charged: MicroUsd): object => {
  const prompt = promptTokens(usage);
  const completion = completionTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    cost: usdNumber(charged),
    cached_input_tokens: usage.inputCachedRead,
    cache_write_tokens: usage.inputCacheWrite,
    cache_read_tokens: usage.inputCachedRead,
    prompt_tokens_details: { cached_tokens: usage.inputCachedRead },
    completion_tokens_details: { reasoning_tokens: usage.outputReasoning },
  };
};

/** Writes the content chunks of one stream. All that does not change is written once. */
export type ChunkFrames = Readonly<{
  /** The frames of a batch, one for each piece; empty when nothing in it is for the client. */
  of: (batch: readonly UpstreamEvent[]) => string;
  /** A chunk with whatever else. */
  with: (members: Readonly<{ choices: readonly object[]; usage?: object }>) => string;
  /** The members that make any JSON object look like a chunk without content. */
  empty: object;
}>;

/** A piece of a call as a provider's adapter tells it. */
export type CallPiece = Extract<UpstreamEvent, { type: 'toolCall' }>;

/** A piece of a call as it stands in a delta. */
export const callDelta = ({ index, id, name, arguments: args, signature }: CallPiece): object => ({
  tool_calls: [
    {
      index,
      ...(id === undefined ? {} : { id, type: 'function' }),
      function: { ...(name === undefined ? {} : { name }), arguments: args },
      ...sealOf(signature),
    },
  ],
});

/** Frames for a stream of this id and model. `created` is in seconds. */
export const chunkFrames = (id: string, model: string, created: number): ChunkFrames => {
  const empty = { id: `chatcmpl-${id}`, object: 'chat.completion.chunk', created, model, choices: [] };
  const head = JSON.stringify({ ...empty, choices: undefined }).slice(0, -1);
  const start = `data: ${head},"choices":[{"index":0,"delta":`;
  const end = `}]}\n\n`;
  const text = `${start}{"content":`;
  const endOfText = `}${end}`;
  let role = true;
  let thoughts = 0;

  const delta = (content: object): string => {
    const first = role ? { role: 'assistant' } : {};
    role = false;
    return start + JSON.stringify({ ...first, ...content }) + end;
  };

  const one = (event: UpstreamEvent): string => {
    switch (event.type) {
      case 'text':
      case 'refusal':
        return role ? delta({ content: event.text }) : text + JSON.stringify(event.text) + endOfText;
      case 'reasoning':
        return delta({ reasoning_content: event.text });
      case 'thought':
        return delta({ reasoning_details: [detailOf(event.thought, thoughts++)] });
      case 'toolCall':
        return delta(callDelta(event));
      default:
        return '';
    }
  };

  return {
    of: (batch) => {
      let frames = '';
      for (const event of batch) frames += one(event);
      return frames;
    },
    with: (members) => `data: ${JSON.stringify({ ...empty, ...members })}\n\n`,
    empty,
  };
};
