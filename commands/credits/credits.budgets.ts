import type { ReservationCaptured, Work } from '../../src/events/credit-account/credit-account.events.ts';
import {
  periodEnd,
  periodOf,
  scopeOfKey,
  SCOPE_OF_USER,
  type BudgetPeriod,
  type BudgetRule,
} from '../../src/kernel/budget.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf, usdText, type MicroText, type MicroUsd } from '../../src/kernel/money.ts';
import { sumOf } from './credits.lots.ts';
import type { OpenAccountState, Spent } from './credits.state.ts';

/** The scopes that a piece of work is paid under. They follow from the work alone, so that replaying tells the same. */
const scopesOf = ({ apiKeyId }: Work): readonly string[] =>
  apiKeyId === undefined ? [SCOPE_OF_USER] : [SCOPE_OF_USER, scopeOfKey(apiKeyId)];

const NOTHING: Spent = { day: '', inDay: 0n, month: '', inMonth: 0n, total: 0n };

/** A charge counts in the period of its time; by a clock that is behind, in the newest period there was. */
const plus = (spent: Spent, cost: MicroUsd, at: IsoTime): Spent => {
  const [day, month] = [periodOf(at, 'day'), periodOf(at, 'month')];
  return {
    day: day > spent.day ? day : spent.day,
    inDay: day > spent.day ? cost : spent.inDay + cost,
    month: month > spent.month ? month : spent.month,
    inMonth: month > spent.month ? cost : spent.inMonth + cost,
    total: spent.total + cost,
  };
};

/** What each scope was charged, with one more charge. What was written off was not charged. */
export const spentWith = (
  spent: OpenAccountState['spent'],
  { work, metered, writtenOff, at }: Pick<ReservationCaptured['data'], 'work' | 'metered' | 'writtenOff' | 'at'>,
): OpenAccountState['spent'] => {
  const scopes = scopesOf(work);
  const charged = microOf(metered.cost) - microOf(writtenOff);
  return {
    ...spent,
    ...Object.fromEntries(scopes.map((scope) => [scope, plus(spent[scope] ?? NOTHING, charged, at)])),
  };
};

/** What a scope was charged in the period of `at`. */
export const spentIn = (
  { spent }: Pick<OpenAccountState, 'spent'>,
  { scope, period }: Pick<BudgetRule, 'scope' | 'period'>,
  at: IsoTime,
): MicroUsd => {
  const { day, inDay, month, inMonth, total } = spent[scope] ?? NOTHING;
  if (period === 'total') return total;
  const [newest, amount] = period === 'day' ? [day, inDay] : [month, inMonth];
  return periodOf(at, period) > newest ? 0n : amount;
};

/** What is on hold for a scope, whenever it was put there: it will be charged now or later. */
const heldFor = ({ holds }: Pick<OpenAccountState, 'holds'>, scope: string): MicroUsd =>
  holds.reduce((sum, { work, parts }) => (scopesOf(work).includes(scope) ? sum + sumOf(parts) : sum), 0n);

const NAMES: Readonly<Record<BudgetPeriod, string>> = { day: 'daily', month: 'monthly', total: 'total' };

const ownerOf = (scope: string): string =>
  scope === SCOPE_OF_USER ? 'this account' : scope.replace(/^apiKey:/, 'API key ');

/** The limits of one level that are set on the account, by its user and by administrators. */
export const limitsOf = ({ limits }: Pick<OpenAccountState, 'limits'>, level: 'soft' | 'hard'): readonly BudgetRule[] =>
  [limits.user, limits.admin].flatMap((set) => {
    if (set === null) return [];
    const [day, month] = level === 'soft' ? [set.daySoft, set.monthSoft] : [set.dayHard, set.monthHard];
    const rule = (limit: MicroText | null, period: BudgetPeriod): readonly BudgetRule[] =>
      limit === null ? [] : [{ scope: SCOPE_OF_USER, limit, period }];
    return [...rule(day, 'day'), ...rule(month, 'month')];
  });

/**
 * Refuses with spending_limit_exceeded, naming the rule that decides: one of these or a hard limit of the account itself, when what is spent in its period, what is on hold
 * and what is needed come to more than a budget. A budget may be used to the last micro-dollar.
 */
export const refuseOverBudget = (
  account: OpenAccountState,
  rules: readonly BudgetRule[],
  needed: MicroUsd,
  at: IsoTime,
): void => {
  for (const { scope, limit, period } of [...limitsOf(account, 'hard'), ...rules]) {
    const spent = spentIn(account, { scope, period }, at);
    const held = heldFor(account, scope);
    if (spent + held + needed <= microOf(limit)) continue;
    const limitUsd = usdText(microOf(limit));
    const amounts = { spentUsd: usdText(spent), heldUsd: usdText(held), neededUsd: usdText(needed) };
    const resetsAt = periodEnd(at, period);
    throw new DomainError(
      'spending_limit_exceeded',
      `the ${NAMES[period]} budget of ${ownerOf(scope)} is ${limitUsd} USD; ${amounts.spentUsd} USD of it are spent, ` +
        `${amounts.heldUsd} USD are on hold and this request needs up to ${amounts.neededUsd} USD; raise the budget` +
        (resetsAt === null ? '' : `, wait until ${resetsAt}`) +
        ' or ask for fewer output tokens',
      { details: { rule: { scope, limitUsd, period }, ...amounts, resetsAt } },
    );
  }
};
