import type {
  CreditAccountEvent,
  SpendingLimitReached,
} from '../../src/events/credit-account/credit-account.events.ts';
import { periodOf, type BudgetRule } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf, microText, type MicroUsd } from '../../src/kernel/money.ts';
import { limitsOf, spentIn } from './credits.budgets.ts';
import { holdOf, type Draft } from './credits.drafts.ts';
import { owned } from './credits.lots.ts';
import type { CreditAccount, OpenAccountState } from './credits.state.ts';
import { daysBetween, nameOf, thresholdOf } from './credits.told.ts';

/** An API key's budget is told of when so many hundredths of it are used; all of it is told of too. */
const NEARLY = 80n;
/** A day is unusual above this, and above so many times what is usual; what is usual is not known before so many days. */
const UNUSUAL_FROM: MicroUsd = 5_000_000n;
const UNUSUAL_TIMES = 4n;
const FEWEST_DAYS = 3;

type Limit = BudgetRule & Readonly<{ level: SpendingLimitReached['data']['level'] }>;

/** The limits that a charge may have reached: the user's, and those of the hold that it was charged to. */
const limitsFor = (account: OpenAccountState, budgets: readonly BudgetRule[]): readonly Limit[] => [
  ...limitsOf(account, 'soft').map((rule) => ({ ...rule, level: 'soft' as const })),
  ...[...limitsOf(account, 'hard'), ...budgets].map((rule) => ({ ...rule, level: 'hard' as const })),
  ...budgets.map((rule) => ({
    ...rule,
    limit: microText((microOf(rule.limit) * NEARLY) / 100n),
    level: 'soft' as const,
  })),
];

const reachedLimits = (account: OpenAccountState, budgets: readonly BudgetRule[], at: IsoTime): readonly Draft[] =>
  limitsFor(account, budgets).flatMap(({ scope, level, period, limit }): readonly Draft[] => {
    const spent = spentIn(account, { scope, period }, at);
    if (spent < microOf(limit)) return [];
    const data = { scope, level, period, periodKey: periodOf(at, period), limit, spent: microText(spent), at };
    if (account.told.reached[nameOf(data)] === data.periodKey) return [];
    return [{ type: 'SpendingLimitReached', data }];
  });

const unusualSpending = ({ told }: OpenAccountState, at: IsoTime): readonly Draft[] => {
  const [today, first] = [told.days.at(-1), told.days[0]];
  if (today === undefined || first === undefined || told.unusual === today.day) return [];
  const days = daysBetween(first.day, today.day);
  if (today.m < UNUSUAL_FROM || days < FEWEST_DAYS) return [];
  const before = told.days.slice(0, -1).reduce((sum, { m }) => sum + m, 0n);
  const usual = before / BigInt(days);
  if (today.m < usual * UNUSUAL_TIMES) return [];
  const data = { day: today.day, spent: microText(today.m), usual: microText(usual), at };
  return [{ type: 'SpendingAnomalyNoticed', data }];
};

const lowBalance = (account: OpenAccountState, at: IsoTime): readonly Draft[] => {
  const threshold = thresholdOf(account);
  const balance = owned(account, at);
  if (account.told.low || account.closed || balance >= threshold) return [];
  return [{ type: 'LowBalanceNoticed', data: { balance: microText(balance), threshold: microText(threshold), at } }];
};

const LESS = new Set<CreditAccountEvent['type']>([
  'ReservationCaptured',
  'PromoCreditsExpired',
  'CreditsClawedBack',
  'CreditsAdjusted',
]);

/** What the user is told of after these events, once each: limits that are reached, a low balance, unusual spending. */
export const noticesOf = (
  before: CreditAccount,
  events: readonly CreditAccountEvent[],
  after: CreditAccount,
  at: IsoTime,
): readonly Draft[] => {
  if (after.status === 'none' || !events.some(({ type }) => LESS.has(type))) return [];
  const captured = events.find((event) => event.type === 'ReservationCaptured');
  if (captured === undefined) return lowBalance(after, at);
  const hold = before.status === 'none' ? undefined : holdOf(before, captured.data.reservationId);
  return [...reachedLimits(after, hold?.budgets ?? [], at), ...unusualSpending(after, at), ...lowBalance(after, at)];
};
