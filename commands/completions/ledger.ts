import type {
  CreditAccountEvent,
  FailedAttempt,
  Metered,
} from '../../src/events/credit-account/credit-account.events.ts';
import { isoAfter, isoOf, type Clock } from '../../src/kernel/clock.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import type { CreditCommand, Outcome, ReserveFunds } from '../credits/credits.commands.ts';
import { creditAccount } from '../credits/index.ts';
import type { CreditAccount } from '../credits/credits.state.ts';
import type { Plan } from './plan.ts';
import type { CompletionPolicy } from './policy.ts';
import { untilAnswered } from './until-answered.ts';

export type LedgerDeps = Readonly<{
  credits: CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>;
  clock: Clock;
  logger: Logger;
  pause: (milliseconds: number) => Promise<void>;
  policy: CompletionPolicy;
}>;

/** The money of one request. */
export type Ledger = Readonly<{
  /**
   * Puts the estimate and the margin on hold. Throws DomainErrors `credit_insufficient`, `spending_limit_exceeded` and, when
   * the user has too many requests running, `rate_limit_error`.
   */
  reserve: () => Promise<void>;
  /** Keeps the hold alive and notes what has been used. */
  renew: (soFar: Metered | null) => Promise<void>;
  /** Adds to the hold. Throws as `reserve` does when there is no more money. */
  extend: (add: MicroUsd) => Promise<void>;
  /** Charges; answers what was really charged. Repeated until it is written. */
  capture: (outcome: Outcome) => Promise<MicroUsd>;
  /** Gives everything back. Repeated until it is written. */
  release: (
    reason: 'provider_failed' | 'cancelled_before_start' | 'rejected',
    failed?: readonly FailedAttempt[],
  ) => Promise<void>;
}>;

/** What the account says that it has taken: the cost without what it wrote off. */
const chargedBy = (events: readonly CreditAccountEvent[], outcome: Outcome): MicroUsd => {
  const captured = events.find((event) => event.type === 'ReservationCaptured');
  const { metered, writtenOff } = captured?.data ?? { metered: outcome.metered, writtenOff: '0' };
  return microOf(metered.cost) - microOf(writtenOff);
};

/** The command that puts the money of a plan on hold. */
const reservationOf = ({ clock, policy }: Pick<LedgerDeps, 'clock' | 'policy'>, plan: Plan): ReserveFunds => {
  const { requestId: reservationId, work, estimate, margin, budgets = [] } = plan;
  const at = isoOf(clock());
  const leaseUntil = isoAfter(at, policy.leaseSeconds * 1_000);
  const maxOpen = policy.maxConcurrentPerUser;
  return {
    type: 'ReserveFunds',
    key: `reserve:${reservationId}`,
    data: { reservationId, work, estimate, margin, budgets, maxOpen, leaseUntil, at },
  };
};

/**
 * Throws what `reserve` of the ledger would throw now; holds nothing and writes nothing. The account is read only when what
 * is known of it refuses, and once for all who ask at the same time.
 */
export const mustBeAffordable = async (
  deps: Pick<LedgerDeps, 'credits' | 'clock' | 'policy'>,
  plan: Plan,
): Promise<void> => {
  const command = reservationOf(deps, plan);
  const { decide } = creditAccount.decider;
  try {
    decide(command, await deps.credits.state(plan.userId, { cached: true }));
  } catch (error) {
    if (!isDomainError(error)) throw error;
    decide(command, await deps.credits.state(plan.userId));
  }
};

/** Speaks to the credit account for one request; the request's id is the reservation's. */
export const ledgerFor = (deps: LedgerDeps, plan: Plan, cause: Cause): Ledger => {
  const { credits, clock, policy } = deps;
  const { requestId: reservationId, userId } = plan;
  let steps = 0;

  const send = (command: CreditCommand) => credits.handle(userId, command, { ...cause, at: command.data.at });
  const now = (): IsoTime => isoOf(clock());
  const leaseFrom = (at: IsoTime): IsoTime => isoAfter(at, policy.leaseSeconds * 1_000);
  const patiently = <T>(attempt: () => Promise<T>): Promise<T> =>
    untilAnswered(deps, { requestId: reservationId }, attempt);

  return {
    reserve: async () => {
      await send(reservationOf(deps, plan));
    },
    renew: async (soFar) => {
      const at = now();
      steps += 1;
      await send({
        type: 'RenewReservation',
        key: `renew:${reservationId}:${steps}`,
        data: { reservationId, leaseUntil: leaseFrom(at), soFar, at },
      });
    },
    extend: async (add) => {
      const at = now();
      steps += 1;
      await send({
        type: 'ExtendReservation',
        key: `extend:${reservationId}:${steps}`,
        data: { reservationId, add, leaseUntil: leaseFrom(at), at },
      });
    },
    capture: async (outcome) => {
      const at = now();
      const command: CreditCommand = {
        type: 'CaptureReservation',
        key: `capture:${reservationId}`,
        data: { reservationId, outcome, at },
      };
      const { events } = await patiently(() => send(command));
      return chargedBy(events, outcome);
    },
    release: async (reason, failed = []) => {
      const at = now();
      const command: CreditCommand = {
        type: 'ReleaseReservation',
        key: `release:${reservationId}`,
        data: { reservationId, reason, failed, at },
      };
      await patiently(() => send(command));
    },
  };
};
