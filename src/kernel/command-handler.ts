import { streamOf, type Aggregate } from './aggregate.ts';
import { hashOf } from './chain.ts';
import { fold } from './decider.ts';
import { DomainError, isDomainError } from './errors.ts';
import { isRevisionConflict, type EventStore, type NewEvent, type Position } from './event-store.ts';
import { eventIdOf } from './ids.ts';
import type { Logger } from './logger.ts';
import type { Cause, Command, Event, EventMetadata } from './message.ts';
import { sharedRuns } from './shared-runs.ts';
import { stateCache } from './state-cache.ts';
import { streamStates, type StreamState } from './stream-state.ts';
import { currentVersion } from './upcasting.ts';

/** What became of a command. `position` is undefined when there was nothing to say. */
export type Handled<State, E extends Event> = Readonly<{
  events: readonly E[];
  state: State;
  revision: bigint;
  position: Position | undefined;
}>;

/** Decides commands of one aggregate and appends what was decided. */
export type CommandHandler<State, C extends Command, E extends Event> = Readonly<{
  /** Throws DomainError when refused, StoreUnavailableError when it is unknown whether it happened: repeat it then. */
  handle: (id: string, command: C, cause: Cause) => Promise<Handled<State, E>>;
  /** The state at the end of the stream; `cached` allows the last state that this process has seen. */
  state: (id: string, options?: Readonly<{ cached?: boolean }>) => Promise<State>;
}>;

export type HandlerDeps = Readonly<{
  store: EventStore;
  logger: Logger;
  /** Waits for about this many milliseconds; spread by chance so that rivals do not meet again. */
  pause: (milliseconds: number) => Promise<void>;
}>;

const ATTEMPTS = 8;
/** Commands that wait for the same stream and are decided and appended together. */
const TOGETHER = 64;
const CACHED_STREAMS = 20_000;

const metadataOf = (cause: Cause, key: string, version: number, prevHash: string): Omit<EventMetadata, 'hash'> => ({
  $correlationId: cause.correlationId,
  $causationId: cause.causationId,
  schemaVersion: version,
  occurredAt: cause.at,
  idempotencyKey: key,
  actor: cause.actor,
  ...(cause.requestId === undefined ? {} : { requestId: cause.requestId }),
  ...(cause.sessionId === undefined ? {} : { sessionId: cause.sessionId }),
  ...(cause.deviceId === undefined ? {} : { deviceId: cause.deviceId }),
  ...(cause.ipHash === undefined ? {} : { ipHash: cause.ipHash }),
  prevHash,
});

type Waiting<State, C extends Command, E extends Event> = Readonly<{
  command: C;
  cause: Cause;
  resolve: (handled: Handled<State, E>) => void;
  reject: (error: unknown) => void;
}>;

/** What one command of several came to, on the state that the ones before it left. */
type Decided<State, E extends Event> =
  Readonly<{ events: readonly E[]; state: State; revision: bigint }> | Readonly<{ refusal: unknown }>;

/**
 * The one write path. A state is cached by stream and used as it is; a conflict, a refusal or an empty answer from a
 * cached state makes the handler read the tail and decide again, so nobody is refused because of an old state.
 *
 * Commands on one stream follow one another. Those that come while an append is under way are decided together, each on
 * the state that the one before it left, and appended as one: a busy stream costs one append for many commands.
 */
export const commandHandler = <State, C extends Command, E extends Event>(
  aggregate: Aggregate<State, C, E>,
  deps: HandlerDeps,
): CommandHandler<State, C, E> => {
  type Item = Waiting<State, C, E>;
  const { decider, upcasters } = aggregate;
  const { store, logger } = deps;
  const states = streamStates(aggregate, store);
  const cache = stateCache<StreamState<State>>(CACHED_STREAMS);
  const queues = new Map<string, Item[]>();

  /** Decides each command on what the ones before it left; undefined when an old state refused or said nothing. */
  const decideAll = (items: readonly Item[], at: StreamState<State>, fresh: boolean) => {
    let { state, revision } = at;
    const decided: Decided<State, E>[] = [];
    for (const { command } of items) {
      try {
        const events = decider.decide(command, state);
        if (events.length === 0 && !fresh) return undefined;
        state = fold(decider, state, events);
        revision += BigInt(events.length);
        decided.push({ events, state, revision });
      } catch (refusal) {
        if (isDomainError(refusal) && !fresh) return undefined;
        decided.push({ refusal });
      }
    }
    return decided;
  };

  /** The new events of all commands, each chained to the one before it. */
  const link = (
    stream: string,
    at: StreamState<State>,
    items: readonly Item[],
    decided: readonly Decided<State, E>[],
  ): Readonly<{ events: NewEvent[]; hash: string }> => {
    let { revision, hash } = at;
    const events: NewEvent[] = [];
    items.forEach(({ command, cause }, index) => {
      const one = decided[index];
      if (one === undefined || 'refusal' in one) return;
      one.events.forEach(({ type, data }, ordinal) => {
        const id = eventIdOf(stream, command.key, ordinal, JSON.stringify([data, cause]));
        const metadata = metadataOf(cause, command.key, currentVersion(upcasters, type), hash);
        revision += 1n;
        hash = hashOf({ stream, revision, type, id, data, metadata });
        events.push({ id, type, data, metadata: { ...metadata, hash } });
      });
    });
    return { events, hash };
  };

  const answer = (
    items: readonly Item[],
    decided: readonly Decided<State, E>[],
    position: Position | undefined,
  ): void => {
    items.forEach(({ resolve, reject }, index) => {
      const one = decided[index];
      if (one === undefined || 'refusal' in one) reject(one?.refusal);
      else resolve({ ...one, position: one.events.length === 0 ? undefined : position });
    });
  };

  const append = async (id: string, at: StreamState<State>, items: readonly Item[], decided: Decided<State, E>[]) => {
    const stream = streamOf(aggregate, id);
    const { events, hash } = link(stream, at, items, decided);
    if (events.length === 0) {
      cache.set(stream, at);
      answer(items, decided, undefined);
      return;
    }
    const { revision, position } = await store.append(stream, at.revision, events);
    const state = decided.reduce((before, one) => ('refusal' in one ? before : one.state), at.state);
    const next = { state, revision, hash };
    cache.set(stream, next);
    answer(items, decided, position);
    states.save(id, at.revision, next).catch((error: unknown) => {
      logger.warn({ err: error, stream }, 'snapshot not saved; the next one will be');
    });
  };

  const attempt = async (id: string, items: readonly Item[]): Promise<void> => {
    const stream = streamOf(aggregate, id);
    const cached = cache.get(stream);
    let at = cached ?? (await states.load(id));
    let fresh = cached === undefined;
    for (let tries = 0; tries < ATTEMPTS;) {
      const decided = decideAll(items, at, fresh);
      try {
        if (decided !== undefined) {
          await append(id, at, items, decided);
          return;
        }
      } catch (error) {
        if (!isRevisionConflict(error)) throw error;
        tries += 1;
        await deps.pause(5 * 2 ** tries);
      }
      at = await states.refresh(id, at);
      fresh = true;
    }
    throw new DomainError('service_unavailable', 'too many changes at the same time; try again', {
      retryAfterSeconds: 1,
    });
  };

  const work = async (id: string, queue: Item[]): Promise<void> => {
    while (queue.length > 0) {
      const items = queue.splice(0, TOGETHER);
      try {
        await attempt(id, items);
      } catch (error) {
        // What was decided rests on events of which nobody knows whether they happened: that goes for all of them.
        cache.delete(streamOf(aggregate, id));
        for (const { reject } of items) reject(error);
      }
    }
    queues.delete(id);
  };

  const handle = (id: string, command: C, cause: Cause): Promise<Handled<State, E>> =>
    new Promise((resolve, reject) => {
      const item = { command, cause, resolve, reject };
      const queue = queues.get(id);
      if (queue !== undefined) {
        queue.push(item);
        return;
      }
      const started = [item];
      queues.set(id, started);
      void work(id, started);
    });

  /** Many ask at once where a busy stream ends: they share the reads. */
  const stateAtEnd = sharedRuns(async (id: string): Promise<State> => {
    const stream = streamOf(aggregate, id);
    const known = cache.get(stream);
    const at = known === undefined ? await states.load(id) : await states.refresh(id, known);
    // A command may have moved the cache on while the tail was read.
    if ((cache.get(stream)?.revision ?? -1n) <= at.revision) cache.set(stream, at);
    return at.state;
  });

  const state = (id: string, options: Readonly<{ cached?: boolean }> = {}): Promise<State> => {
    const known = options.cached === true ? cache.get(streamOf(aggregate, id)) : undefined;
    return known === undefined ? stateAtEnd(id) : Promise.resolve(known.state);
  };

  return { handle, state };
};
