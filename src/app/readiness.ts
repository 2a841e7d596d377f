import { setTimeout as wait } from 'node:timers/promises';
import type { PartReadiness, ReadinessDeps } from '../http/routes/health/ready.ts';
import type { Revocations } from '../http/auth/revocations.ts';
import type { LiveCatalogue } from './live-catalogue.ts';
import type { LivePolicy } from './live-policy.ts';
import type { ReadSide } from './read-side.ts';
import type { Stores } from './stores.ts';

type Deps = Readonly<{
  stores: Stores;
  read: ReadSide;
  revocations: Revocations;
  offered: Pick<LiveCatalogue, 'isLive'>;
  prices: Pick<LivePolicy, 'isLive'>;
}>;

/** Less than a probe waits: one part that hangs must not hide how the others are. */
const PART_MS = 2000;

const inTime = async <T>(work: Promise<T>): Promise<T> => {
  const done = new AbortController();
  const late = wait(PART_MS, undefined, { signal: done.signal, ref: false }).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
    late.catch(() => undefined);
  }
};

const part = async (name: string, check: () => Promise<unknown>): Promise<PartReadiness> => {
  try {
    await inTime(check());
    return { name, ok: true };
  } catch {
    return { name, ok: false, detail: 'does not answer' };
  }
};

/** Asks every part whether it can do its work. A projection that has stopped is named, with what it stopped at. */
export const readinessOf =
  ({ stores, read, revocations, offered, prices }: Deps): ReadinessDeps['readiness'] =>
  async () => {
    const projections = read.projector.status().map(({ name, state, failure }): PartReadiness => {
      const ok = state === 'live' || state === 'catching_up';
      const detail = failure === null ? state : `${state}: ${failure.cause} at position ${failure.position ?? '-'}`;
      return { name: `projection ${name}`, ok, detail };
    });
    const [events, database, shared] = await Promise.all([
      part('event store', () => stores.eventStore.ping()),
      part('database', () => stores.pools.appSystem.query('select 1')),
      part('shared state', () => stores.ephemeral.ping()),
    ]);
    return [
      events,
      database,
      // All instances share it, and none would be left if each that misses it were taken out.
      { ...shared, essential: false },
      { name: 'ended sessions', ok: revocations.isLive() },
      { name: 'catalogue', ok: offered.isLive() },
      { name: 'billing policy', ok: prices.isLive() },
      ...projections,
    ];
  };
