import { detailOf } from '../../../kernel/thought-details.ts';
import type { UpstreamEvent } from '../../../kernel/upstream.ts';
import type { FinishReason, Usage } from '../../../kernel/usage.ts';
import { callDelta, type CallPiece } from '../llm/chunk-frames.ts';
import { v1Usage } from './v1-usage.ts';

/** Writes one stream as OpenAI does. All that does not change is written once. */
export type V1Chunks = Readonly<{
  /** The first chunk, which tells the role. */
  opening: string;
  /** The chunks of a batch; empty when nothing in it is for the client. */
  of: (batch: readonly UpstreamEvent[]) => string;
  /** Everything from the reason of the end on. */
  ending: (finish: FinishReason, usage: Usage | undefined) => string;
}>;

export type ChunkHead = Readonly<{ id: string; model: string; created: number; includeUsage: boolean }>;

/** What ends a stream that did not fail. */
const DONE = 'data: [DONE]\n\n';

/** Numbers calls without gaps, which readers that keep a list need. */
const callNumbers = (): ((index: number) => number) => {
  const numbers = new Map<number, number>();
  return (index) => {
    const known = numbers.get(index) ?? numbers.size;
    numbers.set(index, known);
    return known;
  };
};

/** Chunks for one stream. `created` is in seconds. */
export const v1Chunks = ({ id, model, created, includeUsage }: ChunkHead): V1Chunks => {
  const members = { id, object: 'chat.completion.chunk', created, model, system_fingerprint: null };
  const start = `data: ${JSON.stringify(members).slice(0, -1)},"choices":[`;
  // Whoever asks for usage reads it as null until it is known.
  const tail = `]${includeUsage ? ',"usage":null' : ''}}\n\n`;
  const delta = `${start}{"index":0,"delta":`;
  const end = `,"logprobs":null,"finish_reason":null}${tail}`;
  const numberOf = callNumbers();
  let thoughts = 0;

  const called = (piece: CallPiece): string => JSON.stringify(callDelta({ ...piece, index: numberOf(piece.index) }));

  const one = (event: UpstreamEvent): string => {
    switch (event.type) {
      case 'text':
        return `${delta}{"content":${JSON.stringify(event.text)}}${end}`;
      case 'refusal':
        return `${delta}{"refusal":${JSON.stringify(event.text)}}${end}`;
      case 'reasoning':
        return `${delta}{"reasoning_content":${JSON.stringify(event.text)}}${end}`;
      case 'thought':
        return `${delta}${JSON.stringify({ reasoning_details: [detailOf(event.thought, thoughts++)] })}${end}`;
      case 'toolCall':
        return delta + called(event) + end;
      default:
        return '';
    }
  };

  return {
    opening: `${delta}{"role":"assistant","content":"","refusal":null}${end}`,
    of: (batch) => batch.map(one).join(''),
    ending: (finish, usage) => {
      const finished = `${delta}{},"logprobs":null,"finish_reason":${JSON.stringify(finish)}}${tail}`;
      const used = includeUsage ? `${start}],"usage":${JSON.stringify(v1Usage(usage))}}\n\n` : '';
      return finished + used + DONE;
    },
  };
};
