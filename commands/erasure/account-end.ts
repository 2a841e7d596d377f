import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { UserEvent } from '../../src/events/user/user.events.ts';
import { isoAfter, isoOf, notAfter, type Clock } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { Profiles } from '../billing-profile/customers.ts';
import type { CreditCommand } from '../credits/credits.commands.ts';
import type { CreditAccount } from '../credits/credits.state.ts';
import type { UserCommand } from '../users/users.commands.ts';
import type { User } from '../users/users.state.ts';

export type AccountEndDeps = Readonly<{
  credits: CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>;
  users: Pick<CommandHandler<User, UserCommand, UserEvent>, 'handle'>;
  profiles: Pick<Profiles, 'handle'>;
  /** Whether money of the user is on its way now; rejects when that cannot be told. */
  isPaying: (userId: string) => Promise<boolean>;
  clock: Clock;
  /**
   * Chance. Several instances give the same commands at almost the same time: with equal keys the store would take the
   * event of the one for that of the other, and a chain of hashes would break.
   */
  newId: () => string;
}>;

/** A hold whose lease is over for so long has no owner any more. */
const LEASE_GRACE_MS = 3000;

/** Settles the holds that nobody will settle any more: they must not keep anybody from leaving. */
const settleAbandoned = async (
  { credits, clock, newId }: AccountEndDeps,
  userId: string,
  account: CreditAccount,
  cause: Cause,
): Promise<void> => {
  const at = isoOf(clock());
  const holds = account.status === 'open' ? account.holds : [];
  for (const { reservationId, leaseUntil } of holds) {
    if (!notAfter(isoAfter(leaseUntil, LEASE_GRACE_MS), at)) continue;
    const data = { reservationId, graceMs: LEASE_GRACE_MS, at };
    await credits.handle(userId, { type: 'SettleAbandoned', key: `settle:${reservationId}:${newId()}`, data }, cause);
  }
};

/** Nothing is bought by itself any more. */
const endTopOff = async ({ profiles, clock, newId }: AccountEndDeps, userId: string, cause: Cause): Promise<void> => {
  const data = { userId, by: 'system', reason: 'erasure', at: isoOf(clock()) } as const;
  await profiles.handle(userId, { type: 'DisableTopOff', key: `end:${userId}:${newId()}`, data }, cause);
};

/**
 * Closes the credit account, so that no work begins any more, and removes the user, so that no token and no key is good
 * any more, and nothing is bought by itself. Refused with billing_conflict while work or a payment is under way or money
 * is in dispute: nothing has changed then. May be repeated.
 */
export const endAccount = async (deps: AccountEndDeps, userId: string, cause: Cause): Promise<void> => {
  const { credits, users, clock, newId } = deps;
  const account = await credits.state(userId);
  await settleAbandoned(deps, userId, account, cause);
  if (account.status === 'open') {
    // One that is closed already was asked before.
    if (!account.closed && (await deps.isPaying(userId))) {
      throw new DomainError('billing_conflict', 'a payment of this account is under way; wait until it has ended');
    }
    const data = { reason: 'erasure', paid: 'refund_paid', at: isoOf(clock()) } as const;
    await credits.handle(userId, { type: 'CloseAccount', key: `close:${userId}:${newId()}`, data }, cause);
  }
  await endTopOff(deps, userId, cause);
  const data = { userId, at: isoOf(clock()) };
  await users.handle(userId, { type: 'RemoveUser', key: `remove:${userId}:${newId()}`, data }, cause);
};
