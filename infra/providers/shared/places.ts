import type { CallOptions } from '../../../src/kernel/upstream.ts';

/** How many may be in at a time, how many may wait for that, and how long, in milliseconds. */
export type PlaceLimits = Readonly<{ maxConcurrent: number; maxQueued: number; queueWaitMs: number }>;

/** Why somebody has no place. */
export type NoPlace = 'full' | 'late' | 'unwanted';

/** Gives a place back; only the first call counts. */
export type Leave = () => void;

/** A limited number of places, given in the order of asking. */
export type Places = Readonly<{
  /** A place, at once when one is free. Throws, or rejects with, what `refusal` makes of the reason when there is none. */
  take: (options: CallOptions) => Leave | Promise<Leave>;
  taken: () => number;
  waiting: () => number;
}>;

/** Makes the places. */
export const places = (
  { maxConcurrent, maxQueued, queueWaitMs }: PlaceLimits,
  refusal: (reason: NoPlace) => Error,
): Places => {
  let taken = 0;
  /** In the order of coming. */
  const queue = new Set<(leave: Leave) => void>();

  const leave = (): void => {
    const [next] = queue;
    if (next === undefined) {
      taken -= 1;
      return;
    }
    // The place changes hands: nobody who comes now can take it first.
    queue.delete(next);
    next(once());
  };

  const once = (): Leave => {
    let mine = true;
    return () => {
      if (mine) {
        mine = false;
        leave();
      }
    };
  };

  const wait = ({ signal, unwanted }: CallOptions): Promise<Leave> =>
    new Promise((resolve, reject) => {
      const signals = unwanted === undefined ? [signal] : [signal, unwanted];
      const forget = (): void => {
        clearTimeout(timer);
        for (const one of signals) one.removeEventListener('abort', onUnwanted);
      };
      const enter = (place: Leave): void => {
        forget();
        resolve(place);
      };
      const giveUp = (reason: NoPlace): void => {
        queue.delete(enter);
        forget();
        reject(refusal(reason));
      };
      const onUnwanted = (): void => giveUp('unwanted');
      const timer = setTimeout(() => giveUp('late'), queueWaitMs);
      for (const one of signals) one.addEventListener('abort', onUnwanted, { once: true });
      queue.add(enter);
    });

  return {
    take: (options) => {
      if (options.signal.aborted || options.unwanted?.aborted === true) throw refusal('unwanted');
      if (taken < maxConcurrent) {
        taken += 1;
        return once();
      }
      if (queue.size >= maxQueued) throw refusal('full');
      return wait(options);
    },
    taken: () => taken,
    waiting: () => queue.size,
  };
};
