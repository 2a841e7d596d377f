import { isAfter, type Position } from '../../src/kernel/event-store.ts';
import type { Place } from './projection-place.ts';

/** `certain`: an event that the projections read stands at the position, so that they are bound to come there. */
export type Wish = Readonly<{ names: readonly string[]; position: Position; certain: boolean }>;

type Waiter = Wish & Readonly<{ settle: (reached: boolean) => void }>;

/** What this process knows of how far projections have come, its own and those of other instances. */
export type Positions = Readonly<{
  /** Takes note of a place; an older one of the same generation changes nothing. */
  note: (place: Place) => void;
  /** Takes note that the log has nothing for the projection between its place and `position`. */
  pass: (place: Place, position: Position) => void;
  /** How far the projection has come. */
  of: (name: string) => Place;
  /** A projection that has stopped is not waited for. */
  failed: (name: string, now: boolean) => void;
  /** True when all have reached the position within `timeoutMs`; false when not, or when one has stopped. */
  waitFor: (wish: Wish, timeoutMs: number) => Promise<boolean>;
  /** The projections that somebody waits for at this moment, at positions that may hold nothing for them. */
  awaited: () => ReadonlySet<string>;
  /** True while somebody waits for this projection. */
  isAwaited: (name: string) => boolean;
}>;

const NEVER = { generation: -1n, position: undefined };

/** Keeps positions in memory; `onWait` is called when somebody begins to wait. */
export const positions = (onWait: (wish: Wish) => void): Positions => {
  const known = new Map<string, Place>();
  const passed = new Map<string, Place>();
  const stopped = new Set<string>();
  const waiters = new Set<Waiter>();

  const placeOf = (name: string): Place => known.get(name) ?? { name, ...NEVER };
  const reached = (name: string, position: Position): boolean => {
    const place = placeOf(name);
    if (!isAfter(position, place.position)) return true;
    const beyond = passed.get(name);
    return beyond?.generation === place.generation && !isAfter(position, beyond.position);
  };
  const settled = ({ names, position }: Wish): boolean =>
    names.every((name) => stopped.has(name) || reached(name, position));
  const outcome = ({ names, position }: Wish): boolean => names.every((name) => reached(name, position));
  const look = (): void => {
    for (const waiter of [...waiters]) if (settled(waiter)) waiter.settle(outcome(waiter));
  };

  const note = (place: Place): void => {
    const before = placeOf(place.name);
    if (place.generation < before.generation) return;
    const older = place.position === undefined || !isAfter(place.position, before.position);
    if (place.generation === before.generation && older) return;
    known.set(place.name, place);
    look();
  };

  const waitFor = (wish: Wish, timeoutMs: number): Promise<boolean> => {
    if (settled(wish)) return Promise.resolve(outcome(wish));
    return new Promise((resolve) => {
      const settle = (answer: boolean): void => {
        clearTimeout(timer);
        waiters.delete(waiter);
        resolve(answer);
      };
      const waiter: Waiter = { ...wish, settle };
      const timer = setTimeout(settle, timeoutMs, false);
      waiters.add(waiter);
      onWait(wish);
    });
  };

  return {
    note,
    pass: (place, position) => {
      if (place.generation !== placeOf(place.name).generation) return;
      if (
        !isAfter(position, passed.get(place.name)?.position) &&
        passed.get(place.name)?.generation === place.generation
      )
        return;
      passed.set(place.name, { ...place, position });
      look();
    },
    of: placeOf,
    failed: (name, now) => {
      if (now) stopped.add(name);
      else stopped.delete(name);
      if (now) look();
    },
    waitFor,
    awaited: () =>
      new Set(
        [...waiters].flatMap(({ names, position, certain }) =>
          certain ? [] : names.filter((name) => !reached(name, position)),
        ),
      ),
    isAwaited: (name) => [...waiters].some(({ names, position }) => names.includes(name) && !reached(name, position)),
  };
};
