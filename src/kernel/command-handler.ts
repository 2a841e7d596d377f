import { streamOf, type Aggregate } from './aggregate.ts';
import { hashOf } from './chain.ts';
import { fold } from './decider.ts';
import { DomainError, isDomainError } from './errors.ts';
import { isRevisionConflict, type EventStore, type NewEvent, type Position } from './event-store.ts';
import { eventIdOf } from './ids.ts';
import type { Logger } from './logger.ts';
import type { Cause, Command, Event, EventMetadata } from './message.ts';
import { serialByKey } from './serial.ts';
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

/**
 * The one write path. A state is cached by stream and used as it is; a conflict, a refusal or an empty answer from a
 * cached state makes the handler read the tail and decide again, so nobody is refused because of an old state.
 */
export const commandHandler = <State, C extends Command, E extends Event>(
  aggregate: Aggregate<State, C, E>,
  deps: HandlerDeps,
): CommandHandler<State, C, E> => {
  const { decider, upcasters } = aggregate;
  const { store, logger } = deps;
  const states = streamStates(aggregate, store);
  const cache = stateCache<StreamState<State>>(CACHED_STREAMS);
  const inTurn = serialByKey();

  const link = (stream: string, at: StreamState<State>, events: readonly E[], command: C, cause: Cause) => {
    let { revision, hash } = at;
    return events.map(({ type, data }, ordinal): NewEvent & { hash: string } => {
      const id = eventIdOf(stream, command.key, ordinal);
      const metadata = metadataOf(cause, command.key, currentVersion(upcasters, type), hash);
      revision += 1n;
      hash = hashOf({ stream, revision, type, id, data, metadata });
      return { id, type, data, metadata: { ...metadata, hash }, hash };
    });
  };

  const append = async (id: string, at: StreamState<State>, events: readonly E[], command: C, cause: Cause) => {
    const stream = streamOf(aggregate, id);
    const linked = link(stream, at, events, command, cause);
    const { revision, position } = await store.append(stream, at.revision, linked);
    const next = { state: fold(decider, at.state, events), revision, hash: linked.at(-1)?.hash ?? at.hash };
    cache.set(stream, next);
    states.save(id, at.revision, next).catch((error: unknown) => {
      logger.warn({ err: error, stream }, 'snapshot not saved; the next one will be');
    });
    return { events, state: next.state, revision, position };
  };

  /** The decided events; undefined when an old state was the reason for a refusal or for silence. */
  const decide = (command: C, at: StreamState<State>, fresh: boolean): readonly E[] | undefined => {
    try {
      const events = decider.decide(command, at.state);
      return events.length === 0 && !fresh ? undefined : events;
    } catch (error) {
      if (isDomainError(error) && !fresh) return undefined;
      throw error;
    }
  };

  const attempt = async (id: string, command: C, cause: Cause): Promise<Handled<State, E>> => {
    const stream = streamOf(aggregate, id);
    const cached = cache.get(stream);
    let at = cached ?? (await states.load(id));
    let fresh = cached === undefined;
    for (let tries = 0; tries < ATTEMPTS;) {
      const events = decide(command, at, fresh);
      if (events?.length === 0) {
        cache.set(stream, at);
        return { events, state: at.state, revision: at.revision, position: undefined };
      }
      try {
        if (events !== undefined) return await append(id, at, events, command, cause);
      } catch (error) {
        if (!isRevisionConflict(error)) {
          cache.delete(stream);
          throw error;
        }
        tries += 1;
        await deps.pause(5 * 2 ** tries);
      }
      at = await states.refresh(id, at);
      fresh = true;
    }
    cache.delete(stream);
    throw new DomainError('service_unavailable', 'too many changes at the same time; try again', {
      retryAfterSeconds: 1,
    });
  };

  const state = async (id: string, options: Readonly<{ cached?: boolean }> = {}): Promise<State> => {
    const stream = streamOf(aggregate, id);
    const known = cache.get(stream);
    if (known !== undefined && options.cached === true) return known.state;
    const at = known === undefined ? await states.load(id) : await states.refresh(id, known);
    // A command may have moved the cache on while the tail was read.
    if ((cache.get(stream)?.revision ?? -1n) <= at.revision) cache.set(stream, at);
    return at.state;
  };

  return { handle: (id, command, cause) => inTurn(id, () => attempt(id, command, cause)), state };
};
