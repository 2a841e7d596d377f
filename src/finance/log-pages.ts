import { isAfter, type EventStore, type Position, type StoredEvent } from '../kernel/event-store.ts';

const PAGE = 5000;

type Part = Readonly<{
  /** Only what comes after this place. */
  after?: Position | undefined;
  /** The commit position up to and with which is read. */
  until?: bigint | undefined;
  /** Events that are fetched at once. */
  page?: number;
}>;

/** The log's events of these streams (none named: of all), oldest first; without a part named, all that there are. */
export const eventsOf = async function* (
  store: Pick<EventStore, 'readAll'>,
  streamPrefixes: readonly string[],
  { after, until, page: size = PAGE }: Part = {},
): AsyncGenerator<StoredEvent> {
  let from = after;
  for (;;) {
    const page = await store.readAll({
      ...(from === undefined ? {} : { from }),
      maxCount: size,
      filter: { streamPrefixes },
    });
    for (const event of page) {
      if (until !== undefined && event.position.commit > until) return;
      yield event;
    }
    const last = page.at(-1)?.position;
    if (last === undefined || page.length < size) return;
    if (!isAfter(last, from)) throw new Error('the log does not go forward');
    from = last;
  }
};
