import type { ServerResponse } from 'node:http';
import type { Answering } from '../../../../commands/completions/running-completion.ts';
import type { UpstreamEvent } from '../../../kernel/upstream.ts';
import { drained, written } from '../../handing-over.ts';
import { failureOf } from '../llm/whole-answer.ts';

const HEAD = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' };
const SILENCE_MS = 15_000;

/** Readers exist that take every byte for a character: nothing but ASCII goes on the wire. */
const ascii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** One event. Both members are in each, and nothing else is ever sent: some readers know no comments. */
const transcriptFrame = (text: string, done: boolean): string => `data: ${ascii(JSON.stringify({ text, done }))}\n\n`;

const textOf = (batch: readonly UpstreamEvent[]): string =>
  batch.map((event) => (event.type === 'text' ? event.text : '')).join('');

/**
 * Streams a transcription. Nothing is sent before the first piece or a long silence, so that what fails until then is
 * answered like any other refusal: it is thrown. What breaks later ends without the event that says `done`, cut off.
 */
export const streamTranscript = async (running: Answering, response: ServerResponse): Promise<void> => {
  let spoken = false;
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, HEAD);
  };
  const silence = setInterval(() => {
    begin();
    response.write(transcriptFrame('', false));
  }, SILENCE_MS);
  const ended = await running
    .deliver({
      take: (batch) => {
        const text = spoken ? textOf(batch) : textOf(batch).trimStart();
        if (text === '' || response.destroyed) return undefined;
        spoken = true;
        begin();
        silence.refresh();
        return response.write(transcriptFrame(text, false)) ? undefined : drained(response);
      },
    })
    .finally(() => clearInterval(silence));
  if (ended.how === 'gone') {
    response.destroy();
    return;
  }
  if (ended.how !== 'completed') {
    if (response.headersSent) await written(response, transcriptFrame('', false));
    throw failureOf(ended);
  }
  begin();
  response.end(transcriptFrame('', true));
};
