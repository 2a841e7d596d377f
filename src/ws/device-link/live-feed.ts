import type { NumberedEvent } from '../../kernel/relay.ts';
import { importanceOf, latestOf } from './event-rules.ts';
import type { Importance, Outbox } from './outbox.ts';
import type { KeptFrame } from './receipts.ts';

/**
 * What comes for a device as it happens. While the device is being told what it missed, this waits for its turn, so that
 * nothing overtakes what is older.
 */
export type LiveFeed = Readonly<{
  /** Hands an event on, unless the device has had it, or said it. `frameOf` is asked when it is needed. */
  event: (event: NumberedEvent, frameOf: () => string) => void;
  frame: (frame: string | Uint8Array, importance: Importance) => void;
  /** What comes waits until `release` has been called as often. */
  hold: () => void;
  release: () => void;
  /** The id after which the device has been told nothing; 0: none was ever given out. */
  mark: () => number;
  /** Notes what was told while the feed was held. `latest`: the last id that was given out. */
  replayed: (eventIds: readonly number[], latest: number) => void;
  /** Calls and answers that wait here; they are forgotten. */
  takeBack: () => readonly KeptFrame[];
}>;

type Held =
  | Readonly<{ kind: 'event'; event: NumberedEvent; frameOf: () => string }>
  | Readonly<{ kind: 'frame'; frame: string | Uint8Array; importance: Importance; at: number }>;

/** What may wait while a device is told what it missed. Events are counted, for they are not written out yet. */
const MOST_EVENTS = 2_000;
const MOST_BYTES = 8 * 1024 * 1024;

/** The feed of a device over its socket. `overflow`: too much waits for a device that takes too long. */
export const liveFeed = (outbox: Outbox, deviceId: string, now: () => number, overflow: () => void): LiveFeed => {
  let holds = 0;
  let held: Held[] = [];
  let heldBytes = 0;
  let mark = 0;
  const told = new Set<number>();
  let lastTold = 0;

  const hold = (one: Held, bytes: number): void => {
    held.push(one);
    heldBytes += bytes;
    if (held.length > MOST_EVENTS || (heldBytes > MOST_BYTES && held.length > 1)) overflow();
  };

  const tell = (given: NumberedEvent, frameOf: () => string): void => {
    mark = Math.max(mark, given.eventId);
    outbox.send(frameOf(), importanceOf(given.eventType), latestOf(given));
  };

  const event: LiveFeed['event'] = (given, frameOf) => {
    if (given.sourceDeviceId === deviceId) return;
    if (holds > 0) hold({ kind: 'event', event: given, frameOf }, 0);
    else if (given.eventId > mark) tell(given, frameOf);
  };

  /** A piece that is older than what was told is of no use any more, and would come in the wrong place. */
  const isStale = ({ eventId, eventType }: NumberedEvent): boolean =>
    told.has(eventId) || (eventId < lastTold && importanceOf(eventType) === 'droppable');

  const frame: LiveFeed['frame'] = (given, importance) => {
    if (holds > 0) hold({ kind: 'frame', frame: given, importance, at: now() }, given.length);
    else outbox.send(given, importance);
  };

  return {
    event,
    frame,
    hold: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
      if (holds > 0) return;
      const due = held;
      held = [];
      heldBytes = 0;
      for (const one of due) {
        if (one.kind === 'frame') outbox.send(one.frame, one.importance);
        else if (!isStale(one.event)) tell(one.event, one.frameOf);
      }
      told.clear();
      lastTold = 0;
    },
    mark: () => mark,
    replayed: (eventIds, latest) => {
      for (const eventId of eventIds) told.add(eventId);
      lastTold = Math.max(lastTold, ...eventIds.slice(-1));
      mark = latest;
    },
    takeBack: () => {
      const back = held.flatMap((one) =>
        one.kind === 'frame' && one.importance === 'kept' && typeof one.frame === 'string'
          ? [{ frame: one.frame, at: one.at }]
          : [],
      );
      held = [];
      heldBytes = 0;
      return back;
    },
  };
};
