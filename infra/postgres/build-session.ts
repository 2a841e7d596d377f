import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { prepareBeside } from './beside.ts';
import { schemaOf } from './builds.ts';
import { feedTables, type SessionDeps } from './feeding.ts';
import type { Place } from './projection-place.ts';
import { swap } from './swap.ts';

/** Milliseconds until readers that were in the way are looked at again. */
const AGAIN = 1000;

/** Waits so long after each batch that no more than so many events a second are taken. */
const pacedAt = (mostPerSecond: number, signal: AbortSignal) => {
  let free = performance.now();
  return async (events: number): Promise<void> => {
    const now = performance.now();
    free = Math.max(free, now) + (events * 1000) / mostPerSecond;
    await delay(free - now, undefined, { signal }).catch(() => undefined);
  };
};

/**
 * Builds a projection's tables beside those that readers see, if that is wanted, and puts them in their place once they
 * show the whole log. Returns then, when there is nothing to build, or when `signal` aborts; throws what stopped it.
 */
export const runBuild = async (
  projection: Projection,
  deps: SessionDeps & Readonly<{ logger: Logger }>,
  signal: AbortSignal,
): Promise<void> => {
  const { store, pools, owner, logger } = deps;
  const isOver = (): boolean => signal.aborted;
  const head = await store.head();
  if (isOver()) return;
  const beside = await prepareBeside(pools.projector, projection, { owner, target: head });
  if (beside === undefined || isOver()) return;
  const { place: start, mostPerSecond } = beside;
  const version = projection.version;
  logger.info({ projection: projection.name, version }, 'a read model is built beside the one in use');
  deps.onPlace(start, 'catching_up', 0);

  const exchange = async (built: Place): Promise<boolean> => {
    for (let tries = 0; !isOver(); tries += 1) {
      const outcome = await swap(projection, built, deps);
      if (outcome === 'swapped') logger.info({ projection: projection.name, version }, 'a read model was exchanged');
      if (outcome !== 'busy') return outcome === 'swapped';
      if (tries === 0) logger.info({ projection: projection.name }, 'a read model waits for readers of its tables');
      await delay(AGAIN, undefined, { signal }).catch(() => undefined);
    }
    return false;
  };

  const fed = { schema: schemaOf.next, start, whenLive: exchange };
  if (mostPerSecond === undefined) return feedTables(projection, fed, deps, signal);
  const limits = { ...deps.limits, max: Math.min(deps.limits.max, mostPerSecond) };
  return feedTables(projection, { ...fed, pace: pacedAt(mostPerSecond, signal) }, { ...deps, limits }, signal);
};
