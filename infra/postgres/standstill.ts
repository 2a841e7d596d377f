import type { Place } from './projection-place.ts';

/** Notices projections that have work and do not move. */
export type Standstill = Readonly<{
  /** True, once, when a projection that has work has stood at the same place for too long; `now` in milliseconds. */
  isAt: (place: Place, hasWork: boolean, now: number) => boolean;
  /** Forgets all: nobody could move for a while. */
  forget: () => void;
}>;

type Seen = Readonly<{ place: string; since: number }>;

/** Remembers places; `limitMs` milliseconds at the same one, with work all the time, are a standstill. */
export const standstill = (limitMs: number): Standstill => {
  const seen = new Map<string, Seen>();
  return {
    forget: () => seen.clear(),
    isAt: ({ name, generation, position }, hasWork, now) => {
      const place = `${generation} ${position?.commit} ${position?.prepare}`;
      const last = seen.get(name);
      if (!hasWork) {
        seen.delete(name);
        return false;
      }
      if (last?.place !== place) {
        seen.set(name, { place, since: now });
        return false;
      }
      if (now - last.since < limitMs) return false;
      seen.delete(name);
      return true;
    },
  };
};
