import type { Projection } from '../../src/kernel/projection.ts';
import { schemaOf } from './builds.ts';
import { feedTables, type SessionDeps } from './feeding.ts';
import { prepare } from './prepare.ts';

/**
 * Owns the tables of a projection that readers see, until something ends it: prepares them and keeps them up to date.
 * Returns when `signal` aborts; throws what stopped it.
 */
export const runSession = async (projection: Projection, deps: SessionDeps, signal: AbortSignal): Promise<void> => {
  const isOver = (): boolean => signal.aborted;
  const head = await deps.store.head();
  if (isOver()) return;
  const start = await prepare(deps.pools.projector, projection, { owner: deps.owner, target: head });
  // One that was left behind meanwhile has a successor.
  if (isOver()) return;
  deps.onPlace(start, 'catching_up', 0);
  await feedTables(projection, { schema: schemaOf.serving, start }, deps, signal);
};
