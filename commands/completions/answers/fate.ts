import type { CreditAccountEvent } from '../../../src/events/credit-account/credit-account.events.ts';
import { isoAfter, isoOf, notAfter, type Clock } from '../../../src/kernel/clock.ts';
import type { CommandHandler } from '../../../src/kernel/command-handler.ts';
import type { EventStore } from '../../../src/kernel/event-store.ts';
import { uuidOf } from '../../../src/kernel/ids.ts';
import type { Cause, IsoTime } from '../../../src/kernel/message.ts';
import type { CreditCommand } from '../../credits/credits.commands.ts';
import type { CreditAccount } from '../../credits/credits.state.ts';
import { holdWord, type HoldWord } from './hold-word.ts';

export type FateDeps = Readonly<{
  store: Pick<EventStore, 'read'>;
  credits: CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>;
  clock: Clock;
}>;

/** A request whose owner gives no sign of life. */
export type Silent = Readonly<{ userId: string; requestId: string; startedAt: IsoTime }>;

/** What has become of it: it may live, it was charged, or it never will be. */
export type Fate = Readonly<{ kind: 'open' }> | Extract<HoldWord, { kind: 'charged' }> | Readonly<{ kind: 'free' }>;

/** An owner renews its lease; one that is late by this much is dead. */
const LEASE_GRACE_MS = 3_000;
/** An owner that has put no money on hold so long after it took the key will not do so any more: no longer than a lease. */
const UNHELD_MS = 33_000;
/** From then on it asks no provider itself. The difference is for clocks that do not agree. */
const IN_TIME_MS = 15_000;

/** True as long as an owner may go on that took its key then: whoever is later must take it for lost. */
export const claimedInTime = (claimedAt: Date, now: Date): boolean => now.getTime() - claimedAt.getTime() < IN_TIME_MS;

const causeOf = (key: string, at: IsoTime): Cause => {
  const id = uuidOf(`${key}|${at}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'system', id: 'answers' } };
};

/**
 * Asks the account, which alone knows the truth, and ends a hold whose lease is over. After `free` no charge can follow;
 * whatever else somebody may still believe.
 */
export const fateOf = async ({ store, credits, clock }: FateDeps, silent: Silent): Promise<Fate> => {
  const { userId, requestId: reservationId, startedAt } = silent;
  const ask = (): Promise<HoldWord> => holdWord(store, silent);

  const settle = async (): Promise<HoldWord> => {
    const at = isoOf(clock());
    const key = `settle:${reservationId}`;
    const data = { reservationId, graceMs: LEASE_GRACE_MS, at };
    await credits.handle(userId, { type: 'SettleAbandoned', key, data }, causeOf(key, at));
    return ask();
  };
  const supersede = async (): Promise<HoldWord> => {
    const at = isoOf(clock());
    const key = `supersede:${reservationId}`;
    const data = { reservationId, reason: 'superseded', at } as const;
    await credits.handle(userId, { type: 'ReleaseReservation', key, data }, causeOf(key, at));
    const word = await ask();
    // What has been forgotten, after days, cannot be charged either.
    return word.kind === 'given_back' ? { kind: 'given_back', final: true } : word;
  };

  let word = await ask();
  const now = isoOf(clock());
  if (word.kind === 'held' && notAfter(isoAfter(word.leaseUntil, LEASE_GRACE_MS), now)) word = await settle();
  if (word.kind === 'given_back' && !word.final) word = await supersede();
  switch (word.kind) {
    case 'charged':
      return word;
    case 'given_back':
      return { kind: 'free' };
    case 'none':
      return { kind: notAfter(isoAfter(startedAt, UNHELD_MS), now) ? 'free' : 'open' };
    case 'held':
      return { kind: 'open' };
  }
};
