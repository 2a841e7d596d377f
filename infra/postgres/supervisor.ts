import { setTimeout as delay } from 'node:timers/promises';
import { isStoreUnavailable, positionText } from '../../src/kernel/event-store.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { openControl, type ControlConnection, type Heard } from './control-connection.ts';
import { causeOf, isMissing, isPassing } from './faults.ts';
import { migrate } from './migrate.ts';
import type { DatabasePools } from './pools.ts';
import { FencedError } from './feeding.ts';
import { OutdatedError, SupersededError } from './prepare.ts';
import { HandlerFailure } from './project-events.ts';
import { park, type Failure } from './projection-state.ts';

/** Milliseconds: how often a free projection is looked for, and the pauses after what went wrong. */
const STANDBY = 1000;
const AGAIN = { first: 100, most: 5000 };
const FAILED = { first: 1000, most: 60_000 };
const SUPERSEDED = 3000;
/** A session that was told to end and has not by then is left behind; its place fences it off if it ever goes on. */
const LAST_BATCH = 10_000;

/** Something that one instance at a time does. */
export type Work = Readonly<{
  /** Names its lock, its row in projector.state and its notifications. */
  name: string;
  /** False while there is nothing to do: nobody takes the lock then. */
  isWanted: () => boolean;
  /** Works until `signal` aborts or all is done; throws what stopped it. */
  run: (signal: AbortSignal) => Promise<void>;
}>;

export type SupervisorDeps = Readonly<{
  works: readonly Work[];
  pools: DatabasePools;
  logger: Logger;
  clock: Clock;
  owner: string;
  heard: Heard;
  /** Told when a projection has stopped, after that was written down. */
  onFailed: (name: string) => Promise<void>;
}>;

export type Supervisor = Readonly<{
  /** Runs until `signal` aborts; never throws. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Ends the session or the pause of a projection, so that it looks at its state row now. */
  nudge: (name: string) => void;
  /** Told that a projection has moved: what went wrong before is over. */
  moved: (name: string) => void;
}>;

const isOfAnotherRelease = (error: unknown): error is SupersededError | OutdatedError =>
  error instanceof SupersededError || error instanceof OutdatedError;

const failureOf = (error: unknown): Failure => {
  const event = error instanceof HandlerFailure ? error.event : undefined;
  const cause = causeOf(error instanceof HandlerFailure ? error.cause : error);
  return { position: event?.position, eventId: event?.id, eventType: event?.type, cause };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** How often in a row a projection has met with each kind of trouble: one says nothing about the other. */
type Troubles = Readonly<Record<'passing' | 'failed', number>>;

const NONE: Troubles = { passing: 0, failed: 0 };

/** Resolves when a session that was told to end has had the time for it. */
const outOfTime = async (until: AbortSignal, over: AbortSignal): Promise<void> => {
  await aborted(AbortSignal.any([until, over]));
  await delay(LAST_BATCH, undefined, { signal: over, ref: false }).catch(() => undefined);
};

const growing = ({ first, most }: typeof AGAIN, attempts: number): number => Math.min(most, first * 2 ** attempts);

/**
 * Competes for work on projections by advisory lock, does what it gets, and goes on after whatever goes wrong: at once
 * with somebody else's changes, soon with an absent server, with growing pauses with an event that cannot be applied.
 * The lock is free during a pause, so that another build can take over.
 */
export const supervisor = (deps: SupervisorDeps): Supervisor => {
  const { works, pools, logger, clock, owner } = deps;
  const attempts = new Map<string, Troubles>();
  const current = new Map<string, () => void>();
  const standingBy = new Set<string>();

  /** Waits, unless nudged. */
  const nap = async (name: string, pause: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = (): void => resolve(undefined);
    const timer = setTimeout(wake, pause);
    signal.addEventListener('abort', wake, { once: true });
    current.set(name, wake);
    if (!signal.aborted) await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
  };

  const parkFailure = async (name: string, error: unknown): Promise<void> => {
    const failure = failureOf(error);
    const position = failure.position === undefined ? undefined : positionText(failure.position);
    logger.error(
      { projection: name, ...failure, position },
      'a projection has stopped at an event that it cannot apply',
    );
    await park(pools.projector, name, owner, failure, clock()).catch((reason: unknown) => {
      logger.warn({ projection: name, cause: causeOf(reason) }, 'the failure could not be written down');
    });
    await deps.onFailed(name);
  };

  /** How often a projection has met this kind of trouble before. */
  const counted = (name: string, kind: keyof Troubles): number => {
    const troubles = attempts.get(name) ?? NONE;
    attempts.set(name, { ...troubles, [kind]: troubles[kind] + 1 });
    return troubles[kind];
  };

  /** Says once that the tables are another release's, not each time that it looks. */
  const standBy = (name: string, error: SupersededError | OutdatedError): void => {
    if (standingBy.has(name)) return;
    standingBy.add(name);
    if (error instanceof SupersededError)
      logger.warn({ projection: name }, 'a newer release owns this projection; standing by');
    else logger.info({ projection: name }, 'an older release made the tables; they are built anew beside them');
  };

  /** What to do about an error: answers the pause before the next try. */
  const afterwards = async (name: string, error: unknown): Promise<number> => {
    if (error instanceof FencedError) return growing(AGAIN, Math.min(counted(name, 'passing'), 3));
    if (isOfAnotherRelease(error)) {
      standBy(name, error);
      return SUPERSEDED;
    }
    if (isMissing(error)) {
      logger.warn({ projection: name, cause: causeOf(error) }, 'tables are missing and will be made again');
      await migrate(pools, logger);
      return growing(AGAIN, counted(name, 'passing'));
    }
    if (isPassing(error) || isStoreUnavailable(error)) {
      logger.warn({ projection: name, cause: causeOf(error) }, 'a projection waits for a server');
      return growing(AGAIN, counted(name, 'passing'));
    }
    await parkFailure(name, error);
    return growing(FAILED, counted(name, 'failed'));
  };

  const own = async ({ name, run: work }: Work, signal: AbortSignal): Promise<number> => {
    const since = performance.now();
    const nudged = new AbortController();
    current.set(name, () => nudged.abort());
    const until = AbortSignal.any([signal, nudged.signal]);
    const over = new AbortController();
    try {
      const session = work(until).then(() => true);
      const ended = await Promise.race([session, outOfTime(until, over.signal).then(() => false)]);
      if (!ended) logger.warn({ projection: name }, 'a projection does not end and is left behind');
      return 0;
    } catch (error) {
      if (until.aborted) return 0;
      if (!isOfAnotherRelease(error)) standingBy.delete(name);
      // What went wrong long ago says nothing about today.
      if (performance.now() - since > FAILED.most) attempts.delete(name);
      return await afterwards(name, error).catch(() => AGAIN.most);
    } finally {
      over.abort();
    }
  };

  const compete = async (work: Work, control: ControlConnection, signal: AbortSignal): Promise<void> => {
    const { name } = work;
    while (!signal.aborted) {
      if (work.isWanted() && (await control.tryLock(name))) {
        const pause = await own(work, signal);
        await control.unlock(name);
        await nap(name, pause, signal);
      } else await nap(name, STANDBY, signal);
    }
  };

  const serve = async (signal: AbortSignal): Promise<void> => {
    await migrate(pools, logger);
    const control = await openControl(pools.dedicated(), deps.heard);
    const broken = new AbortController();
    const until = AbortSignal.any([signal, control.lost, broken.signal]);
    const competing = works.map((work) =>
      compete(work, control, until).catch((error: unknown) => {
        broken.abort();
        throw error;
      }),
    );
    await aborted(until);
    await Promise.allSettled(competing);
    await control.close();
    await Promise.all(competing);
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    for (let tries = 0; !signal.aborted; tries += 1) {
      const since = performance.now();
      await serve(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn({ cause: causeOf(error) }, 'the projections wait for the database');
      });
      if (performance.now() - since > 10_000) tries = 0;
      await delay(growing(AGAIN, tries), undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    run,
    nudge: (name) => current.get(name)?.(),
    moved: (name) => {
      attempts.delete(name);
      standingBy.delete(name);
    },
  };
};
