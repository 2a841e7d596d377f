import { isoOf, type Clock } from '../kernel/clock.ts';
import { isAfter, reachedBy, type EventStore, type Position } from '../kernel/event-store.ts';
import { uuidOf } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Cause } from '../kernel/message.ts';

type Deps<Changes> = Readonly<{
  /** What it is, for the log. */
  what: string;
  /** Of the one stream of changes. */
  category: string;
  /** Names what the build brings, so that each has a cause of its own. */
  book: string;
  /** Has what the build brings in the log. */
  publish: (cause: Cause) => Promise<unknown>;
  /** The changes so far, read up to the end of the stream. */
  read: () => Promise<Changes>;
  /** Goes by these changes unless newer ones are known. */
  adopt: (changes: Changes) => void;
  /** How many events were read so far; undefined: none were, ever. */
  known: () => number | undefined;
  store: EventStore;
  clock: Clock;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

/** What is laid over the build, kept fresh from the log. */
export type Overlaid = Readonly<{
  /** Resolves when the build's part is in the log and everything that had been changed by now is in effect. */
  start: (signal: AbortSignal) => Promise<void>;
  /** False while news do not come in, because the store is away. */
  isLive: () => boolean;
}>;

const LONGEST_PAUSE_MS = 5000;

/** The build itself is what makes its part known. */
const causeAt = (at: string, book: string): Cause => {
  const id = uuidOf(`${book} ${at}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'system', id: 'system' } };
};

/** Follows the one stream of changes to the build, again and again when the store goes away. */
export const overlaid = <Changes>(deps: Deps<Changes>): Overlaid => {
  const { what, category, book, publish, read, adopt, known, store, clock, pause, logger } = deps;
  let position: Position | undefined;
  let live = false;

  const load = async (): Promise<void> => {
    // The position comes first: what happens between the two reads is then only told again.
    position = await store.head();
    await publish(causeAt(isoOf(clock()), book));
  };

  const follow = async (signal: AbortSignal, caughtUp: () => void): Promise<void> => {
    const filter = { streamPrefixes: [`${category}-`] };
    const from = position === undefined ? {} : { from: position };
    for await (const items of store.subscribe({ ...from, filter, signal })) {
      const isNews = items.some((item) => item.kind === 'event' && BigInt(known() ?? 0) <= item.event.revision);
      if (isNews) adopt(await read());
      const reached = reachedBy(items);
      if (reached !== undefined && isAfter(reached, position)) position = reached;
      if (!items.some(({ kind }) => kind === 'caught-up')) continue;
      live = true;
      caughtUp();
    }
  };

  const loadAndFollow = async (signal: AbortSignal, caughtUp: () => void): Promise<void> => {
    const stopped = (): boolean => signal.aborted;
    for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        if (known() === undefined) await load();
        await follow(signal, () => {
          wait = 100;
          caughtUp();
        });
      } catch (error) {
        logger.warn({ err: error }, `${what} is not fresh; trying again`);
      }
      live = false;
      if (!stopped()) await pause(wait);
    }
  };

  return {
    start: (signal) =>
      new Promise((resolve, reject) => {
        loadAndFollow(signal, resolve).then(() => reject(new Error('stopped before it was ready')), reject);
      }),
    isLive: () => live,
  };
};
