import {
  KEPT_EVENTS,
  KEPT_SECONDS,
  type Keeping,
  type NumberedEvent,
  type RelayEvent,
  type Replay,
} from '../../src/kernel/relay.ts';

/** One user's events in memory. */
export type EventKeep = Readonly<{
  add: (event: RelayEvent, keeping: Keeping) => NumberedEvent;
  after: (lastEventId: number) => Replay;
}>;

type Kept = Readonly<{ event: NumberedEvent; replaces: string | undefined; until: number }>;

/**
 * Keeps the newest events. Ids start at the clock's milliseconds, so that they are above those of before a restart; a
 * client that knows a higher one, because the clock was set back, moves them up.
 */
export const eventKeep = (now: () => number): EventKeep => {
  let kept: readonly Kept[] = [];
  let latest: number | undefined;
  /** Everything after this id is kept, but for what was replaced or never kept. */
  let floor: number | undefined;

  const forgetOld = (): void => {
    const at = now();
    const fresh = kept.filter(({ until }, index) => until > at && kept.length - index <= KEPT_EVENTS);
    const gone = kept.length - fresh.length;
    if (gone > 0) floor = kept[gone - 1]?.event.eventId ?? floor;
    kept = fresh;
  };

  return {
    add: (said, { how, replaces }) => {
      const eventId = Math.max(now(), (latest ?? 0) + 1);
      const event = { ...said, eventId };
      floor ??= eventId - 1;
      latest = eventId;
      if (how === 'miss') {
        kept = [];
        floor = eventId;
      }
      if (how !== 'keep') return event;
      const others = replaces === undefined ? kept : kept.filter((other) => other.replaces !== replaces);
      kept = [...others, { event, replaces, until: now() + KEPT_SECONDS * 1_000 }];
      forgetOld();
      return event;
    },
    after: (lastEventId) => {
      forgetOld();
      const isKnown = latest !== undefined && floor !== undefined && lastEventId >= floor && lastEventId <= latest;
      if (lastEventId > (latest ?? 0)) latest = lastEventId;
      return {
        events: kept.flatMap(({ event }) => (event.eventId > lastEventId ? [event] : [])),
        gap: lastEventId > 0 && !isKnown,
        oldest: kept[0]?.event.eventId,
        latest,
      };
    },
  };
};
