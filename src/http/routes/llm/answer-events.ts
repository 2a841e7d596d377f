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

/** A sink that writes once for each batch and says when the client is slower than the provider. */
const sinkTo = (response: ServerResponse, events: AnswerEvents, silence: NodeJS.Timeout) => {
  let wrote = false;
  const sink: CompletionSink = {
    take: (batch) => {
      const text = events.of(batch);
      if (text === '' || response.destroyed) return undefined;
      wrote = true;
      silence.refresh();
      return response.write(text) ? undefined : drained(response);
    },
  };
  return { sink, wrote: () => wrote };
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
  const { sink, wrote } = sinkTo(response, events, silence);
  const ended = await running.deliver(sink).finally(() => clearTimeout(silence));
  return { ended, wrote: wrote() };
};
