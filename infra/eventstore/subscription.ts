import type { ClientReadableStream } from '@grpc/grpc-js';
import { StoreUnavailableError, type FeedItem, type Filter, type Position } from '../../src/kernel/event-store.ts';
import type { RawCalls } from './raw-calls.ts';
import { feedItemOf } from './wire/read-answer.ts';
import { subscribeRequest } from './wire/subscribe-request.ts';

type Options = Readonly<{
  from?: Position;
  filter?: Filter;
  signal: AbortSignal;
  /** Milliseconds until a subscription that was not confirmed is given up. */
  patienceMs: number;
}>;

/** Messages that wait for the reader; then nothing more is fetched until it has taken them. */
const MOST_WAITING = 256;

/** What has come and was not taken yet. */
type Inbox = Readonly<{
  /** All that is there, as soon as there is anything; undefined when nothing more will come. Rejects when the call broke. */
  take: () => Promise<readonly Buffer[] | undefined>;
  close: () => void;
}>;

const inboxOf = (call: ClientReadableStream<Buffer>, patienceMs: number): Inbox => {
  let messages: Buffer[] = [];
  let over = false;
  let failure: Readonly<{ error: unknown }> | undefined;
  let wake: (() => void) | undefined;

  const ring = (): void => {
    wake?.();
    wake = undefined;
  };
  const close = (): void => {
    clearTimeout(silence);
    over = true;
    ring();
  };
  // One is confirmed at once; a call whose connection is cut in the wrong moment never says anything.
  const silence = setTimeout(() => {
    failure ??= { error: new Error('the subscription was not confirmed') };
    close();
  }, patienceMs);
  call.once('data', () => clearTimeout(silence));
  call.on('data', (message: Buffer) => {
    messages.push(message);
    if (messages.length >= MOST_WAITING) call.pause();
    ring();
  });
  call.on('error', (error) => {
    failure ??= { error };
    close();
  });
  call.on('end', close);

  const take: Inbox['take'] = async () => {
    if (messages.length === 0 && !over) await new Promise<void>((resolve) => (wake = resolve));
    if (messages.length > 0) {
      const taken = messages;
      messages = [];
      if (call.isPaused()) call.resume();
      return taken;
    }
    if (failure !== undefined) throw failure.error;
    return undefined;
  };
  return { take, close };
};

const isSystemEvent = (item: FeedItem): boolean => item.kind === 'event' && item.event.type.startsWith('$');

const itemsOf = (messages: readonly Buffer[]): readonly FeedItem[] =>
  messages.flatMap((message) => {
    const item = feedItemOf(message);
    return item === undefined || isSystemEvent(item) ? [] : [item];
  });

/** Everything that the call brings until the signal aborts; throws when it ends before that. */
async function* follow(
  call: ClientReadableStream<Buffer>,
  { signal, patienceMs }: Options,
): AsyncGenerator<readonly FeedItem[], void> {
  const inbox = inboxOf(call, patienceMs);
  const stopped = (): boolean => signal.aborted;
  signal.addEventListener('abort', inbox.close, { once: true });
  try {
    while (!stopped()) {
      const messages = await inbox.take();
      if (messages === undefined) break;
      const items = itemsOf(messages);
      if (items.length > 0 && !stopped()) yield items;
    }
    if (!stopped()) throw new Error('the subscription ended');
  } finally {
    signal.removeEventListener('abort', inbox.close);
  }
}

/** Everything after `from` in order, with back-pressure: little more is fetched than the reader takes. */
export async function* subscribeTo(calls: RawCalls, options: Options): AsyncGenerator<readonly FeedItem[], void> {
  const { from, filter, signal } = options;
  let call: ClientReadableStream<Buffer> | undefined;
  try {
    call = await calls.read(subscribeRequest(from, filter?.streamPrefixes ?? []));
    yield* follow(call, options);
  } catch (error) {
    if (!signal.aborted) throw new StoreUnavailableError('the subscription broke', error);
  } finally {
    // A call that is cancelled in the turn in which it was opened would say nothing of it.
    setImmediate(() => call?.cancel());
  }
}
