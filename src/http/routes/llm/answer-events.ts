import type { ServerResponse } from 'node:http';
import type { Answering, CompletionSink, Ended } from '../../../../commands/completions/running-completion.ts';
import type { UpstreamEvent } from '../../../kernel/upstream.ts';
import { drained } from '../../handing-over.ts';

const HEAD = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'identity',
  'X-Accel-Buffering': 'no',
};
const SILENCE_MS = 15_000;

/** A comment, which no reader of events takes for one. */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** How an answer is written as server-sent events. */
export type AnswerEvents = Readonly<{
  /** What is sent before the first piece. */
  opening: string;
  /** The frames of a batch; empty when nothing in it is for the client. */
  of: (batch: readonly UpstreamEvent[]) => string;
}>;

/** Pieces that come sooner than this after the last write are written together, in milliseconds. */
const TOGETHER_MS = 5;
/** What is held is written at once when it is this long. */
const MOST_HELD = 16 * 1024;

/** Writes frames to a client, the first at once and those that follow in quick succession together. */
const frameWriter = (response: ServerResponse) => {
  let held = '';
  let holding: NodeJS.Timeout | undefined;
  let last = Number.NEGATIVE_INFINITY;

  const flush = (): void => {
    clearTimeout(holding);
    holding = undefined;
    if (held === '' || response.destroyed) return;
    last = performance.now();
    const text = held;
    held = '';
    response.write(text);
  };
  /** Resolves when the client can take more; undefined when it can now. */
  const write = (text: string): Promise<void> | undefined => {
    held += text;
    const wait = last + TOGETHER_MS - performance.now();
    if (wait <= 0 || held.length > MOST_HELD) flush();
    else holding ??= setTimeout(flush, wait);
    return response.writableNeedDrain ? drained(response) : undefined;
  };
  return { write, flush };
};

/** A sink that writes the frames of each batch and says when the client is slower than the provider. */
const sinkTo = (response: ServerResponse, events: AnswerEvents, silence: NodeJS.Timeout) => {
  let wrote = false;
  const { write, flush } = frameWriter(response);
  const sink: CompletionSink = {
    take: (batch) => {
      const text = events.of(batch);
      if (text === '' || response.destroyed) return undefined;
      wrote = true;
      silence.refresh();
      return write(text);
    },
  };
  return { sink, flush, wrote: () => wrote };
};

/**
 * Hands an answer to the client as server-sent events, with comments in silence. Resolves when its charge is durable;
 * the end of the response is the caller's to write. `wrote` tells whether any piece of the answer was handed on.
 */
export const deliverEvents = async (
  running: Answering,
  events: AnswerEvents,
  response: ServerResponse,
): Promise<Readonly<{ ended: Ended; wrote: boolean }>> => {
  response.writeHead(200, HEAD);
  response.write(events.opening);
  const silence = setTimeout(() => {
    response.write(KEEP_ALIVE);
    silence.refresh();
  }, SILENCE_MS);
  const { sink, flush, wrote } = sinkTo(response, events, silence);
  const ended = await running.deliver(sink).finally(() => {
    clearTimeout(silence);
    flush();
  });
  return { ended, wrote: wrote() };
};
