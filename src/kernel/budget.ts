import type { IsoTime } from './message.ts';
import type { MicroText, MicroUsd } from './money.ts';

/** How long a budget lasts before it is there in full again; `total` never is. Periods begin at midnight UTC. */
export const BUDGET_PERIODS = ['day', 'month', 'total'] as const;

export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** The most that may be spent in each period. */
export type Budget = Readonly<{ limit: MicroUsd; period: BudgetPeriod }>;

/** A budget as events carry it. */
export type BudgetText = Readonly<{ limit: MicroText; period: BudgetPeriod }>;

/** A budget and whose spending it limits; a scope is a kind and an id, as `apiKey:<keyId>`. */
export type BudgetRule = BudgetText & Readonly<{ scope: string }>;

const LENGTHS: Readonly<Record<BudgetPeriod, number>> = { day: 10, month: 7, total: 0 };

/** The period that a moment lies in: `2026-11-23`, `2026-11`, or the empty text for all time. Later ones sort later. */
export const periodOf = (at: IsoTime, period: BudgetPeriod): string => at.slice(0, LENGTHS[period]);

/** When the period of a moment ends; null when it never does. */
export const periodEnd = (at: IsoTime, period: BudgetPeriod): IsoTime | null => {
  if (period === 'total') return null;
  const now = new Date(at);
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  return new Date(period === 'day' ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1, 1)).toISOString();
};

/** The scope of what one API key spends. */
export const scopeOfKey = (keyId: string): string => `apiKey:${keyId}`;

/** The scope of all that a user spends. */
export const SCOPE_OF_USER = 'user';
