import type { ErasureEvent, ErasureStep } from '../../src/events/erasure/erasure.events.ts';
import { isoAfter, isoOf, notAfter } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import { endAccount, type AccountEndDeps } from './account-end.ts';
import { endConnections, removeBelongings, type BelongingsDeps } from './belongings.ts';
import type { ErasureCommand } from './erasure.commands.ts';
import { ERASURE_STEPS, type Erasure, type StepsDone } from './erasure.state.ts';
import { destroyKey, type KeyDestructionDeps } from './key-destruction.ts';

export type ErasureDeps = AccountEndDeps &
  BelongingsDeps &
  KeyDestructionDeps &
  Readonly<{
    erasures: CommandHandler<Erasure, ErasureCommand, ErasureEvent>;
    /** The tables that hold what can be forgotten, and those of them that still hold something of the user. */
    remains: (userId: string) => Promise<Readonly<{ looked: readonly string[]; left: readonly string[] }>>;
  }>;

/** Forgetting users, step by step. Every step may be repeated, by any instance, at any time. */
export type Erasures = Readonly<{
  /**
   * When it resolves, the account is closed and no token or key of the user is good for anything; `proceed` does the rest.
   * Refused with billing_conflict while work is under way or money is in dispute: nothing has changed then.
   */
  request: (userId: string, cause: Cause) => Promise<void>;
  /**
   * Takes an erasure that was begun as far as it gets now, and no further than `upTo`. Resolves with true when there is
   * nothing left to do.
   */
  proceed: (userId: string, upTo?: ErasureStep['type']) => Promise<boolean>;
}>;

/** The last step that needs nobody but us: what comes after it asks the payment provider, and may wait for it. */
export const LAST_OWN_STEP = 'ReadModelsPurged' satisfies ErasureStep['type'];

/** An app that deleted the account through another device gets its answer over a connection of that same account. */
export const CONNECTIONS_STAY_MS = 3000;
/** Connections look twice a second whether their session has ended; what they have begun then settles. */
export const CONNECTIONS_SETTLE_MS = 2000;

/** A step, or undefined while it is too early for it or something is still in its way. */
type Taken = ErasureStep | undefined;
type Step = (userId: string, done: StepsDone, cause: Cause, requestedAt: IsoTime) => Promise<Taken>;

const isOver = (since: IsoTime | undefined, milliseconds: number, now: IsoTime): boolean =>
  since !== undefined && notAfter(isoAfter(since, milliseconds), now);

const stepsOf = (deps: ErasureDeps): Readonly<Record<ErasureStep['type'], Step>> => ({
  AccessEnded: async (userId, _done, cause) => {
    await endAccount(deps, userId, cause);
    return { type: 'AccessEnded', data: { userId, at: cause.at } };
  },
  ConnectionsEnded: async (userId, done, cause) => {
    if (!isOver(done.AccessEnded, CONNECTIONS_STAY_MS, cause.at)) return undefined;
    return { type: 'ConnectionsEnded', data: { userId, ...(await endConnections(deps, userId, cause)), at: cause.at } };
  },
  BelongingsRemoved: async (userId, done, cause) => {
    if (!isOver(done.ConnectionsEnded, CONNECTIONS_SETTLE_MS, cause.at)) return undefined;
    const removed = await removeBelongings(deps, userId, cause);
    return { type: 'BelongingsRemoved', data: { userId, ...removed, at: cause.at } };
  },
  SubjectKeyDestroyed: async (userId, _done, cause) => {
    const proof = await destroyKey(deps, userId);
    return { type: 'SubjectKeyDestroyed', data: { userId, keyId: userId, proof, at: cause.at } };
  },
  ReadModelsPurged: async (userId, _done, cause) => {
    const { looked, left } = await deps.remains(userId);
    if (left.length === 0) return { type: 'ReadModelsPurged', data: { userId, tables: looked, at: cause.at } };
    // Something came in while the last connections closed.
    await endConnections(deps, userId, cause);
    await removeBelongings(deps, userId, cause);
    return undefined;
  },
  CustomerForgotten: async (userId, _done, cause) => {
    // A payment that set out while the account was being closed is settled with its customer, not without.
    if (await deps.isPaying(userId)) return undefined;
    const customerId = await deps.forgetCustomer(userId, cause);
    return { type: 'CustomerForgotten', data: { userId, hadCustomer: customerId !== undefined, at: cause.at } };
  },
  ErasureCompleted: (userId, _done, cause, requestedAt) =>
    Promise.resolve({ type: 'ErasureCompleted', data: { userId, requestedAt, at: cause.at } }),
});

/** The process over all that knows of a user. */
export const erasureService = (deps: ErasureDeps): Erasures => {
  const { erasures, clock, newId } = deps;
  const steps = stepsOf(deps);

  const note = (userId: string, step: ErasureStep, cause: Cause) =>
    erasures.handle(userId, { type: 'NoteErasureStep', key: `step:${step.type}:${newId()}`, data: step }, cause);

  const block = async (userId: string, why: string, cause: Cause): Promise<void> => {
    const data = { userId, why, at: isoOf(clock()) };
    await erasures.handle(userId, { type: 'BlockErasure', key: `block:${newId()}`, data }, cause);
  };

  /** The first step, which alone can be refused. */
  const begin = async (userId: string, cause: Cause): Promise<void> => {
    try {
      await endAccount(deps, userId, cause);
    } catch (error) {
      if (isDomainError(error) && error.errorType === 'billing_conflict') await block(userId, error.detail, cause);
      throw error;
    }
    await note(userId, { type: 'AccessEnded', data: { userId, at: isoOf(clock()) } }, cause);
  };

  const causeNow = (userId: string, requestedAt: IsoTime): Cause => {
    const id = uuidOf(`erasure|${userId}|${requestedAt}`);
    return { at: isoOf(clock()), correlationId: id, causationId: id, actor: { kind: 'job', id: 'erasure' } };
  };

  const proceed = async (userId: string, upTo: ErasureStep['type']): Promise<boolean> => {
    const last = ERASURE_STEPS.indexOf(upTo);
    for (;;) {
      const erasure = await erasures.state(userId);
      if (erasure.status !== 'running') return true;
      const { done, requestedAt } = erasure;
      const next = ERASURE_STEPS.find((type) => done[type] === undefined);
      if (next === undefined) return true;
      if (ERASURE_STEPS.indexOf(next) > last) return false;
      const cause = causeNow(userId, requestedAt);
      const taken = await steps[next](userId, done, cause, requestedAt);
      if (taken === undefined) return false;
      await note(userId, taken, cause);
    }
  };

  return {
    request: async (userId, cause) => {
      const data = { userId, by: 'user', at: cause.at } as const;
      const key = `request:${newId()}`;
      await erasures.handle(userId, { type: 'RequestErasure', key, data }, cause);
      await begin(userId, cause);
    },
    proceed: async (userId, upTo = 'ErasureCompleted') => {
      try {
        return await proceed(userId, upTo);
      } catch (error) {
        if (!isDomainError(error) || error.errorType !== 'billing_conflict') throw error;
        // Work has begun between a request that nobody finished and now: its user has to ask again.
        await block(userId, error.detail, causeNow(userId, isoOf(clock())));
        return true;
      }
    },
  };
};
