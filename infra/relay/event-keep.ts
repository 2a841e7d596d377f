import {
  KEPT_EVENTS,
  KEPT_SECONDS,
  type Keeping,
  type NumberedEvent,
  type RelayEvent,
  type Replay,
} from '../../src/kernel/relay.ts';
import { HIGHEST_EVENT_ID, MOST_KEPT_BYTES } from './limits.ts';

/** One user's events in memory. */
export type EventKeep = Readonly<{
  add: (event: RelayEvent, keeping: Keeping) => NumberedEvent;
  after: (lastEventId: number) => Replay;
  /** Lets go of what is too old. */
  sweep: () => void;
  bytes: () => number;
}>;

type Kept = Readonly<{ eventId: number; text: string; bytes: number; replaces: string | undefined; until: number }>;

/**
 * Keeps the newest events. Ids start at the clock's milliseconds, so that they are above those of before a restart; a
 * client that knows a higher one, because the clock was set back or it was elsewhere, moves them up.
 */
export const eventKeep = (now: () => number): EventKeep => {
  const kept: Kept[] = [];
  let bytes = 0;
  let latest: number | undefined;
  /** Everything after this id is kept, but for what was replaced or is missed by nobody; undefined: nobody knows. */
  let floor: number | undefined;

  const drop = (index: number): void => {
    for (const gone of kept.splice(index, 1)) bytes -= gone.bytes;
  };

  const dropAll = (): void => {
    kept.length = 0;
    bytes = 0;
  };

  const isTooMuch = ({ until }: Kept): boolean =>
    until <= now() || kept.length > KEPT_EVENTS || bytes > MOST_KEPT_BYTES;

  const sweep = (): void => {
    for (let oldest = kept[0]; oldest !== undefined && isTooMuch(oldest); oldest = kept[0]) {
      floor = oldest.eventId;
      drop(0);
    }
  };

  const keep = (eventId: number, said: RelayEvent, replaces: string | undefined): void => {
    const older = replaces === undefined ? -1 : kept.findIndex((other) => other.replaces === replaces);
    if (older >= 0) drop(older);
    // As text: it takes less room, and what comes out is nobody else's object.
    const text = JSON.stringify(said);
    const size = Buffer.byteLength(text) + (replaces?.length ?? 0);
    kept.push({ eventId, text, bytes: size, replaces, until: now() + KEPT_SECONDS * 1_000 });
    bytes += size;
    sweep();
  };

  return {
    add: (said, { how, replaces }) => {
      const eventId = Math.max(now(), (latest ?? 0) + 1);
      // Whatever a device knows from before: other events may have followed it that are not known here.
      floor ??= eventId;
      latest = eventId;
      if (how === 'miss') {
        dropAll();
        floor = eventId;
      }
      if (how === 'keep') keep(eventId, said, replaces);
      return { ...said, eventId };
    },
    after: (lastEventId) => {
      sweep();
      const isKnown = latest !== undefined && floor !== undefined && lastEventId >= floor && lastEventId <= latest;
      // The count begins here, so that whoever asks has something to come back with.
      if (latest === undefined) latest = floor = now();
      if (lastEventId > latest && lastEventId <= HIGHEST_EVENT_ID) {
        // There is a past that is not known here: until the next event nobody can be told that they missed nothing.
        latest = lastEventId;
        floor = undefined;
        dropAll();
      }
      const missed = kept.filter(({ eventId }) => eventId > lastEventId);
      return {
        events: missed.map(({ eventId, text }) => ({ ...(JSON.parse(text) as RelayEvent), eventId })),
        gap: lastEventId > 0 && !isKnown,
        oldest: kept[0]?.eventId,
        latest,
      };
    },
    sweep,
    bytes: () => bytes,
  };
};
