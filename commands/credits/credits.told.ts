import type {
  ReservationCaptured,
  SpendingLimitReached,
} from '../../src/events/credit-account/credit-account.events.ts';
import { periodOf } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import { owned } from './credits.lots.ts';
import type { OpenAccountState, Told } from './credits.state.ts';

/** The balance below which a notice is given when nobody set another one. */
const USUAL_LOW_BALANCE: MicroUsd = 500_000n;
/** What is usual is the mean of at most so many days. */
const PACE_DAYS = 14;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The balance below which a notice is given. */
export const thresholdOf = ({ limits }: OpenAccountState): MicroUsd => {
  const own = limits.user?.lowBalance ?? limits.admin?.lowBalance ?? null;
  return own === null ? USUAL_LOW_BALANCE : microOf(own);
};

/** The account; when its balance is above the threshold again, the next low balance is news. */
export const rearmed = (account: OpenAccountState, at: IsoTime): OpenAccountState =>
  account.told.low && owned(account, at) >= thresholdOf(account)
    ? { ...account, told: { ...account.told, low: false } }
    : account;

type Limit = Pick<SpendingLimitReached['data'], 'scope' | 'level' | 'period' | 'limit'>;

/** One name for each limit, so that it is told of once: several may bind the same scope in the same period. */
export const nameOf = ({ scope, level, period, limit }: Limit): string => `${scope}|${level}|${period}|${limit}`;

/** What was told, with one more limit that was reached. What was told of an earlier day or month is needed no more. */
export const reachedWith = (told: Told, data: SpendingLimitReached['data']): Told => {
  const kind = nameOf({ ...data, limit: '' });
  const others = Object.entries(told.reached).filter(
    ([name, periodKey]) => !name.startsWith(kind) || periodKey === data.periodKey,
  );
  return { ...told, reached: { ...Object.fromEntries(others), [nameOf(data)]: data.periodKey } };
};

const chargeOf = ({ metered, writtenOff }: Pick<ReservationCaptured['data'], 'metered' | 'writtenOff'>): MicroUsd =>
  microOf(metered.cost) - microOf(writtenOff);

/** Days from one day to another. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/** What was told, with a charge added to its day; by a clock that is behind, to the newest day there was. */
export const paceWith = (told: Told, data: ReservationCaptured['data']): Told => {
  const charged = chargeOf(data);
  const day = periodOf(data.at, 'day');
  const last = told.days.at(-1);
  if (last !== undefined && day <= last.day) {
    return { ...told, days: [...told.days.slice(0, -1), { ...last, m: last.m + charged }] };
  }
  const kept = told.days.filter((one) => daysBetween(one.day, day) <= PACE_DAYS);
  return { ...told, days: [...kept, { day, m: charged }] };
};
