import {
  EVENT_TYPE,
  START,
  STREAM_NAME,
  type AllStreamResolvedEvent,
  type AllStreamSubscription,
  type EventStoreDBClient,
  type Filter as ClientFilter,
} from '@eventstore/db-client';
import { StoreUnavailableError, type FeedItem, type Filter, type Position } from '../../src/kernel/event-store.ts';
import { storedEventOf } from './stored-event.ts';

type Options = Readonly<{ from?: Position; filter?: Filter; signal: AbortSignal }>;

/** Events between two checkpoints of a quiet filter: how far a reader may lag behind what it does not want. */
const CHECKPOINT_INTERVAL = 1;
const SEARCH_WINDOW = 32;

/** The store's own event types start with a dollar sign. */
const NOT_A_SYSTEM_TYPE = '^[^$].*';

type Mark = Readonly<{ mark: FeedItem }>;

const isMark = (item: unknown): item is Mark => typeof item === 'object' && item !== null && 'mark' in item;

/**
 * The client reports checkpoints and catching up beside its stream of events, ahead of events that still wait in its
 * buffer. Pushed into that buffer they keep their place, so that no reader takes note of an event it has not seen.
 */
const mark = (subscription: AllStreamSubscription, item: FeedItem): void => {
  const marked: Mark = { mark: item };
  (subscription as unknown as { push: (item: unknown) => void }).push(marked);
};

const clientFilter = (prefixes: readonly string[]): ClientFilter => {
  const common = {
    checkpointInterval: CHECKPOINT_INTERVAL,
    maxSearchWindow: SEARCH_WINDOW,
    checkpointReached: (subscription: unknown, position: Position): void =>
      mark(subscription as AllStreamSubscription, { kind: 'checkpoint', position }),
  };
  return prefixes.length === 0
    ? { filterOn: EVENT_TYPE, regex: NOT_A_SYSTEM_TYPE, ...common }
    : { filterOn: STREAM_NAME, prefixes: [...prefixes], ...common };
};

/** Everything after `from` in order, with back-pressure: nothing more is fetched than the reader takes. */
export async function* subscribeTo(
  client: EventStoreDBClient,
  { from, filter, signal }: Options,
): AsyncGenerator<FeedItem, void, undefined> {
  const subscription = client.subscribeToAll({
    fromPosition: from ?? START,
    filter: clientFilter(filter?.streamPrefixes ?? []),
  });
  subscription.on('caughtUp', () => mark(subscription, { kind: 'caught-up' }));
  const stopped = (): boolean => signal.aborted;
  const stop = (): void => {
    subscription.destroy();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (stopped()) stop();
  try {
    for await (const item of subscription as AsyncIterable<AllStreamResolvedEvent | Mark>) {
      if (isMark(item)) yield item.mark;
      else if (item.event !== undefined && !item.event.type.startsWith('$')) {
        yield { kind: 'event', event: storedEventOf(item.event) };
      }
    }
    if (!stopped()) throw new Error('the subscription ended');
  } catch (error) {
    if (!stopped()) throw new StoreUnavailableError('the subscription broke', error);
  } finally {
    signal.removeEventListener('abort', stop);
    await subscription.unsubscribe().catch(() => undefined);
  }
}
