import type { Answer } from '../../../commands/completions/answers/answer.ts';
import type { Ended } from '../../../commands/completions/running-completion.ts';
import { chunkFrames, type ChunkFrames } from '../../http/routes/llm/chunk-frames.ts';
import { lastChunk } from '../../http/routes/llm/final-charge.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { UpstreamEvent } from '../../kernel/upstream.ts';
import type { Outbox } from './outbox.ts';
import { chunkMessages, failed, over } from './server-messages.ts';

const PREFIX = 'data: '.length;
const SUFFIX = '\n\n'.length;

/** The JSON of one chunk; undefined when there is none. */
const jsonOf = (frame: string): string | undefined => (frame === '' ? undefined : frame.slice(PREFIX, -SUFFIX));

const unreached = (after: number, last: number): DomainError =>
  new DomainError('invalid_argument', `position ${after} is beyond the end of this answer, which is ${last}`);

/**
 * Hands an answer on, chunk by chunk, from after a position to its end; resolves with the last message, which is for the
 * caller to send. A chunk's position and bytes follow from the recorded answer alone: whoever reads it, wherever, gets the
 * same. That is why it is read from its beginning, also when the beginning is not sent.
 */
export const handOn = async (answer: Answer, id: string, after: number, to: Outbox): Promise<string> => {
  const { requestId, modelId, startedAt } = answer;
  const frames: ChunkFrames = chunkFrames(requestId, modelId, Math.floor(startedAt.getTime() / 1_000));
  const message = chunkMessages(id);
  let position = 0;

  const hand = (frame: string): Promise<void> | undefined => {
    position += 1;
    const json = jsonOf(frame);
    return json === undefined || position <= after ? undefined : to.send(message(position, json));
  };

  const take = async (batch: readonly UpstreamEvent[]): Promise<void> => {
    for (const event of batch) {
      const slow = hand(frames.of([event]));
      if (slow !== undefined) await slow;
    }
  };

  const ended: Ended = await answer.deliver({ take });
  if (ended.how === 'completed') await hand(lastChunk(frames, ended));
  return after > position ? failed(id, unreached(after, position), { requestId, ended }) : over(id, requestId, ended);
};
