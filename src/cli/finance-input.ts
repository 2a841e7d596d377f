import type { AsOf } from '../finance/replayed-balance.ts';
import type { EventStore } from '../kernel/event-store.ts';
import { isUuid } from '../kernel/ids.ts';
import { CliError } from './connect.ts';

/** A day, or a moment with its zone. */
const ISO_TIME = /^(\d{4})-(\d\d)-(\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;
const DAY_MS = 24 * 60 * 60 * 1000;

const isDay = (year: string, month: string, day: string): boolean => {
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return at.getUTCMonth() === Number(month) - 1 && at.getUTCDate() === Number(day);
};

/** The moment that a text names; of a day, its end in UTC. Undefined: it names none. */
const momentOf = (text: string): Date | undefined => {
  const [, year = '', month = '', day = '', time] = ISO_TIME.exec(text) ?? [];
  if (year === '' || !isDay(year, month, day)) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return undefined;
  return time === undefined ? new Date(at.getTime() + DAY_MS - 1) : at;
};

const timeOf = (text: string, now: Date): AsOf => {
  const at = momentOf(text);
  if (at === undefined) {
    throw new CliError(
      2,
      `--as-of takes a day such as 2026-01-31, a time such as 2026-01-31T23:59:59Z or a position such as 4711, not "${text}"`,
    );
  }
  if (at <= now) return { kind: 'time', at };
  // Today is not over: what there is until now.
  if (text === now.toISOString().slice(0, 10)) return { kind: 'now', at: now };
  throw new CliError(2, `--as-of ${text} lies in the future`);
};

/** What `--as-of` says: a day, a time or a position; absent: now. Throws CliError for anything else and for the future. */
export const asOfInput = (text: string | undefined, now = new Date()): AsOf => {
  if (text === undefined) return { kind: 'now', at: now };
  return /^\d+$/.test(text) ? { kind: 'position', commit: BigInt(text) } : timeOf(text, now);
};

/** What `--to-position` says; absent: now. Throws CliError for anything but a position. */
export const positionInput = (text: string | undefined): AsOf => {
  if (text === undefined || /^\d+$/.test(text)) return asOfInput(text);
  throw new CliError(2, `--to-position takes a position in the log such as 4711, not "${text}"`);
};

/** Throws CliError for a position that the log has not reached: what stands there is not known yet. */
export const mustBeReached = async (store: Pick<EventStore, 'head'>, asOf: AsOf): Promise<void> => {
  if (asOf.kind !== 'position') return;
  const end = (await store.head())?.commit ?? 0n;
  if (asOf.commit > end) throw new CliError(2, `the log ends at position ${end.toString()}`);
};

/** What `--period` says: a month. Throws CliError for anything else. */
export const periodInput = (text: string | undefined): string | undefined => {
  if (text === undefined || /^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new CliError(2, `--period takes a month such as 2026-01, not "${text}"`);
};

/** What `--user` says, in lower case. Throws CliError for what is no id of a user. */
export const userInput = (text: string): string => {
  if (isUuid(text)) return text.toLowerCase();
  throw new CliError(2, `--user takes the id of a user (a UUID), not "${text}"`);
};

/** What `--day` says: a day in UTC; absent: today. Throws CliError for anything else. */
export const dayInput = (text: string | undefined, now = new Date()): Date => {
  if (text === undefined) return now;
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (year !== '' && isDay(year, month, day)) return new Date(`${text}T00:00:00Z`);
  throw new CliError(2, `--day takes a day such as 2026-01-31, not "${text}"`);
};
