import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';
import { isUpstreamError, type UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { protocolError } from './failures.ts';
import type { Answer } from './post.ts';

/** Turns the events of one answer into ours. Made anew for each answer. */
export type StreamDecoder = Readonly<{
  /** Takes the JSON of one event; true when the answer is whole. Throws UpstreamError when the provider failed. */
  event: (json: unknown, out: UpstreamEvent[]) => boolean;
  /** The stream is over, by the end mark when `marked`, else by its bytes. Throws UpstreamError when that is too early. */
  end: (out: UpstreamEvent[], marked: boolean) => void;
}>;

type Batch = readonly UpstreamEvent[];
type Step = IteratorResult<Batch, undefined>;

const LINGER_MS = 1_000;
/** Characters outside of any event that are kept, in case they are an error. */
const MOST_STRAY = 64 * 1024;
const END: Step = { done: true, value: undefined };

/**
 * The events of a streamed answer, in batches: one for what one read brought. A failure is thrown after everything that
 * came before it has been handed out.
 */
export const eventBatches = (provider: string, answer: Answer, decoder: StreamDecoder): AsyncIterable<Batch> => {
  const text = new StringDecoder('utf8');
  let out: UpstreamEvent[] = [];
  let failure: unknown;
  let over = false;
  /** Runs from the moment the answer is whole: a server that then keeps the connection open is not waited for. */
  let hurry: NodeJS.Timeout | undefined;

  const take = (data: string): void => {
    if (failure !== undefined || over) return;
    if (data === '[DONE]') return finish(true);
    try {
      if (decoder.event(JSON.parse(data), out)) hurry ??= setTimeout(answer.cancel, LINGER_MS);
    } catch (error) {
      failure = isUpstreamError(error) ? error : protocolError(provider, 'an event is not JSON', error);
    }
  };
  /** Some servers break a stream off with a bare JSON error that is no event. */
  let stray = '';
  const parser = createParser({
    onEvent: ({ data }) => take(data),
    onError: ({ line = '' }) => {
      if (stray.length < MOST_STRAY) stray += line;
    },
  });
  const takeStray = (): void => {
    try {
      if (stray !== '') take(JSON.stringify(JSON.parse(stray)));
    } catch {
      // Not JSON: nothing that could be read.
    }
  };

  const finish = (marked: boolean): void => {
    over = true;
    clearTimeout(hurry);
    try {
      if (failure === undefined && hurry === undefined) decoder.end(out, marked);
    } catch (error) {
      failure = error;
    }
  };

  const read = async (): Promise<void> => {
    try {
      const pieces = await answer.read();
      for (const piece of pieces ?? []) parser.feed(text.write(piece));
      if (pieces !== undefined) return;
      // Some servers leave out the empty line after the last event.
      parser.feed('\n\n');
      if (over) return;
      takeStray();
      finish(false);
    } catch (error) {
      if (hurry === undefined) failure = error;
      else finish(false);
    }
  };

  const next = async (): Promise<Step> => {
    while (out.length === 0) {
      if (failure !== undefined) {
        answer.cancel();
        throw failure as Error;
      }
      if (over) return END;
      await read();
    }
    const batch = out;
    out = [];
    return { done: false, value: batch };
  };

  const stop = (): Promise<Step> => {
    over = true;
    clearTimeout(hurry);
    answer.cancel();
    return Promise.resolve(END);
  };

  return { [Symbol.asyncIterator]: () => ({ next, return: stop }) };
};

/** Events that are all there already, as one batch. */
export const oneBatch = async function* (events: Batch): AsyncGenerator<Batch, undefined> {
  await Promise.resolve();
  if (events.length > 0) yield events;
  return undefined;
};
