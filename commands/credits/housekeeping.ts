import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { CreditCommand } from './credits.commands.ts';
import type { CreditAccount } from './credits.state.ts';

type Deps = Readonly<{
  credits: CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>;
  clock: Clock;
  logger: Logger;
}>;

const causeOf = (job: string, key: string, at: string): Cause => {
  const id = uuidOf(`${job}|${key}|${at}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'job', id: job } };
};

/** Does the work for each of them; one that fails is tried again in the next round and keeps none of the others waiting. */
const forEach = async <T extends Readonly<{ userId: string }>>(
  logger: Logger,
  all: readonly T[],
  work: (one: T) => Promise<void>,
): Promise<void> => {
  for (const one of all) {
    try {
      await work(one);
    } catch (error) {
      // Nobody's work succeeds while the store is away.
      if (error instanceof StoreUnavailableError) throw error;
      logger.warn({ err: error, userId: one.userId }, 'an account could not be looked after; it is tried again');
    }
  }
};

/**
 * Ends holds whose owner died. The list of candidates may be old; the account alone decides, so that running twice or
 * on several instances changes nothing. Resolves with the number of holds that were ended.
 */
export const settleAbandonedHolds =
  ({
    credits,
    clock,
    logger,
    abandoned,
    graceMs,
  }: Deps &
    Readonly<{
      abandoned: (before: Date) => Promise<readonly Readonly<{ userId: string; reservationId: string }>[]>;
      graceMs: number;
    }>) =>
  async (): Promise<number> => {
    let ended = 0;
    const candidates = await abandoned(new Date(clock().getTime() - graceMs));
    await forEach(logger, candidates, async ({ userId, reservationId }) => {
      const at = isoOf(clock());
      const key = `settle:${reservationId}`;
      const command = { type: 'SettleAbandoned', key, data: { reservationId, graceMs, at } } as const;
      const { events } = await credits.handle(userId, command, causeOf('sweeper', key, at));
      const end = events.find(({ type }) => type === 'ReservationCaptured' || type === 'ReservationLeaseExpired');
      if (end === undefined) return;
      ended += 1;
      logger.warn({ userId, reservationId, end: end.type }, 'an abandoned hold was ended');
    });
    return ended;
  };

/** Writes down promo credit whose time is over. Resolves with the number of accounts looked at. */
export const expirePromoCredit =
  ({ credits, clock, logger, due }: Deps & Readonly<{ due: (now: Date) => Promise<readonly string[]> }>) =>
  async (): Promise<number> => {
    const users = await due(clock());
    const accounts = users.map((userId) => ({ userId }));
    await forEach(logger, accounts, async ({ userId }) => {
      const at = isoOf(clock());
      const command = { type: 'ExpirePromo', key: `expire:${at}`, data: { at } } as const;
      const { events } = await credits.handle(userId, command, causeOf('promo-expiry', userId, at));
      const lots = events.filter(({ type }) => type === 'PromoCreditsExpired').length;
      if (lots > 0) logger.info({ userId, lots }, 'promo credit has expired');
    });
    return users.length;
  };

/**
 * Closes the books of accounts where nothing has happened since a month ended; the others close theirs before their next
 * event. Resolves with the number of accounts looked at.
 */
export const closeBooks =
  ({ credits, clock, logger, due }: Deps & Readonly<{ due: (now: Date) => Promise<readonly string[]> }>) =>
  async (): Promise<number> => {
    const users = await due(clock());
    const accounts = users.map((userId) => ({ userId }));
    await forEach(logger, accounts, async ({ userId }) => {
      const at = isoOf(clock());
      const command = { type: 'CloseBooks', key: `books:${at.slice(0, 7)}`, data: { at } } as const;
      await credits.handle(userId, command, causeOf('books', userId, at));
    });
    if (users.length > 0) logger.info({ accounts: users.length }, 'books were closed');
    return users.length;
  };
