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
  /** The id after which the device has been told nothing; 0: it has not been told where it stands yet. */
  mark: () => number;
  /** Notes what was told while the feed was held. `latest`: the last id that was given out. */
  replayed: (eventIds: readonly number[], latest: number) => void;
  /** Calls and answers that wait here; they are forgotten. */
  takeBack: () => readonly KeptFrame[];
}>;

type HeldEvent = Readonly<{ kind: 'event'; event: NumberedEvent; frame: string }>;
type HeldFrame = Readonly<{ kind: 'frame'; frame: string | Uint8Array; importance: Importance; at: number }>;
type Held = Readonly<{ all: (HeldEvent | HeldFrame)[]; told: Set<number>; lastTold: number; bytes: number }>;

/** What may wait while a device is told what it missed. */
const MOST_HELD = 2_000;
const MOST_BYTES = 8 * 1024 * 1024;

const nothing = (): Held => ({ all: [], told: new Set(), lastTold: 0, bytes: 0 });

const isPiece = (one: HeldEvent | HeldFrame): boolean =>
  one.kind === 'event' && importanceOf(one.event.eventType) === 'droppable';

const isTooMuch = ({ all, bytes }: Held): boolean => all.length > MOST_HELD || (bytes > MOST_BYTES && all.length > 1);

/** The same without what a later message makes good. */
const withoutPieces = (held: Held): Held => {
  const all = held.all.filter((one) => !isPiece(one));
  return { ...held, all, bytes: all.reduce((sum, { frame }) => sum + frame.length, 0) };
};

/** The feed of a device over its socket. `overflow`: too much waits for a device that takes too long. */
export const liveFeed = (outbox: Outbox, deviceId: string, now: () => number, overflow: () => void): LiveFeed => {
  let holds = 0;
  /** Only while it is held: most feeds never are again. */
  let held: Held | undefined;
  let mark = 0;

  const keep = (one: HeldEvent | HeldFrame): void => {
    const before = held ?? nothing();
    before.all.push(one);
    held = { ...before, bytes: before.bytes + one.frame.length };
    if (isTooMuch(held)) held = withoutPieces(held);
    if (isTooMuch(held)) overflow();
  };

  const tell = (given: NumberedEvent, frame: string): void => {
    mark = Math.max(mark, given.eventId);
    outbox.send(frame, importanceOf(given.eventType), latestOf(given));
  };

  /** A piece that is older than what was told is of no use any more, and would come in the wrong place. */
  const isStale = ({ told, lastTold }: Held, one: HeldEvent): boolean =>
    told.has(one.event.eventId) || (one.event.eventId < lastTold && isPiece(one));

  return {
    event: (given, frameOf) => {
      if (given.sourceDeviceId === deviceId) {
        if (holds === 0) mark = Math.max(mark, given.eventId);
      } else if (holds > 0) keep({ kind: 'event', event: given, frame: frameOf() });
      else if (given.eventId > mark) tell(given, frameOf());
    },
    frame: (given, importance) => {
      if (holds > 0) keep({ kind: 'frame', frame: given, importance, at: now() });
      else outbox.send(given, importance);
    },
    hold: () => {
      holds += 1;
    },
    release: () => {
      holds -= 1;
      if (holds > 0 || held === undefined) return;
      const due = held;
      held = undefined;
      for (const one of due.all) {
        if (one.kind === 'frame') outbox.send(one.frame, one.importance);
        else if (!isStale(due, one)) tell(one.event, one.frame);
      }
    },
    mark: () => mark,
    replayed: (eventIds, latest) => {
      const { told, ...rest } = held ?? nothing();
      for (const eventId of eventIds) told.add(eventId);
      held = { ...rest, told, lastTold: Math.max(rest.lastTold, ...eventIds.slice(-1)) };
      mark = latest;
    },
    takeBack: () => {
      const back = (held?.all ?? []).flatMap((one) =>
        one.kind === 'frame' && one.importance === 'kept' && typeof one.frame === 'string'
          ? [{ frame: one.frame, at: one.at }]
          : [],
      );
      held = undefined;
      return back;
    },
  };
};
