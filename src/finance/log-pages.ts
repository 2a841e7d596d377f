import { isAfter, type EventStore, type Position, type StoredEvent } from '../kernel/event-store.ts';

const PAGE = 5000;

/** The log's events of these streams, oldest first, up to and with `until`; undefined: all that there are. */
export const eventsOf = async function* (
  store: Pick<EventStore, 'readAll'>,
  streamPrefixes: readonly string[],
  until?: bigint,
): AsyncGenerator<StoredEvent> {
  let from: Position | undefined;
  for (;;) {
    const page = await store.readAll({
      ...(from === undefined ? {} : { from }),
      maxCount: PAGE,
      filter: { streamPrefixes },
    });
    for (const event of page) {
      if (until !== undefined && event.position.commit > until) return;
      yield event;
    }
    const last = page.at(-1)?.position;
    if (last === undefined || page.length < PAGE) return;
    if (!isAfter(last, from)) throw new Error('the log does not go forward');
    from = last;
  }
};
