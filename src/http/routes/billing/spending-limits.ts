import { z } from 'zod';
import { spendingLimits, type Limits } from '../../../../queries/billing/spending-limits.query.ts';
import type { SpendingLimits } from '../../../events/credit-account/credit-account.events.ts';
import { periodEnd } from '../../../kernel/budget.ts';
import { isoOf, type Clock } from '../../../kernel/clock.ts';
import type { Cause } from '../../../kernel/message.ts';
import { microText, usdText, type MicroUsd } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { uuidParams } from '../../path-params.ts';
import { accountOf, type Accounts } from './adjust-credits.ts';
import { usd } from './money-bodies.ts';

const amount = usd.nullable().default(null);
const period = z.strictObject({ softUsd: amount, hardUsd: amount }).default({ softUsd: null, hardUsd: null });

/** All limits at once; what is left out is no limit. A member that is not known is refused: a misspelt limit would be none. */
const body = z.strictObject({ day: period, month: period, lowBalanceUsd: amount });

const textOf = (value: MicroUsd | null) => (value === null ? null : microText(value));
const usdOf = (value: MicroUsd | null) => (value === null ? null : usdText(value));

const limitsOf = ({ day, month, lowBalanceUsd }: z.infer<typeof body>): SpendingLimits => ({
  daySoft: textOf(day.softUsd),
  dayHard: textOf(day.hardUsd),
  monthSoft: textOf(month.softUsd),
  monthHard: textOf(month.hardUsd),
  lowBalance: textOf(lowBalanceUsd),
});

const presented = ({ daySoft, dayHard, monthSoft, monthHard, lowBalance }: Limits) => ({
  day: { softUsd: usdOf(daySoft), hardUsd: usdOf(dayHard) },
  month: { softUsd: usdOf(monthSoft), hardUsd: usdOf(monthHard) },
  lowBalanceUsd: usdOf(lowBalance),
});

export type LimitDeps = Readonly<{
  accounts: Accounts;
  queries: Pick<QueryRunner, 'asUser'>;
  clock: Clock;
}>;

const show = async ({ queries, clock }: LimitDeps, userId: string) => {
  const now = isoOf(clock());
  const { user, admin, today, thisMonth } = await queries.asUser(userId, spendingLimits(userId, now));
  return json(200, {
    userId,
    limits: presented(user),
    imposed: presented(admin),
    spent: { todayUsd: usdText(today), thisMonthUsd: usdText(thisMonth) },
    dayEndsAt: periodEnd(now, 'day'),
    monthEndsAt: periodEnd(now, 'month'),
  });
};

type Setting = Readonly<{
  setBy: 'user' | 'admin';
  limits: SpendingLimits;
  cause: Cause;
  requestId: string;
  /** The client's own name of the wish. */
  wishId: string | undefined;
}>;

const set = async (deps: LimitDeps, userId: string, { setBy, limits, cause, requestId, wishId }: Setting) => {
  await accountOf(deps.accounts, userId);
  const data = { ...(wishId === undefined ? {} : { wishId }), setBy, limits, at: cause.at };
  const key = `limits:${wishId ?? requestId}`;
  await deps.accounts.handle(userId, { type: 'SetSpendingLimits', key, data }, cause);
  return show(deps, userId);
};

const PATH = '/api/billing/spending-limits';

/** What a user may spend in each day and month: the user's own limits, and those that administrators impose. */
export const spendingLimitEndpoints = (deps: LimitDeps): readonly Endpoint[] => [
  userEndpoint({
    method: 'GET',
    path: PATH,
    limit: 'read',
    scope: 'account',
    handle: (_call, { userId }) => show(deps, userId),
  }),
  userEndpoint({
    method: 'PUT',
    path: PATH,
    limit: 'write',
    body,
    handle: ({ body: wish, cause, requestId, header }, { userId }) => {
      const wishId = idempotencyKey(header('idempotency-key'));
      return set(deps, userId, { setBy: 'user', limits: limitsOf(wish), cause, requestId, wishId });
    },
  }),
  adminEndpoint({
    method: 'GET',
    path: `${PATH}/admin/:userId`,
    limit: 'read',
    params: uuidParams('userId'),
    handle: ({ params }) => show(deps, params['userId'] ?? ''),
  }),
  adminEndpoint({
    method: 'PUT',
    path: `${PATH}/admin/:userId`,
    limit: 'write',
    params: uuidParams('userId'),
    body,
    handle: ({ body: wish, params, cause, requestId, header }) => {
      const wishId = idempotencyKey(header('idempotency-key'));
      return set(deps, params['userId'] ?? '', { setBy: 'admin', limits: limitsOf(wish), cause, requestId, wishId });
    },
  }),
];
