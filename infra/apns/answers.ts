import { z } from 'zod';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { H2Answer } from './h2-connection.ts';

/** What one answer of Apple's means for what is done next. */
export type Verdict =
  | Readonly<{ kind: 'delivered' }>
  | Readonly<{ kind: 'gone'; reason: string; since: IsoTime | null }>
  | Readonly<{ kind: 'refused'; reason: string }>
  /** Asking again may help, at the earliest after `afterMs`. */
  | Readonly<{ kind: 'again'; reason: string; afterMs: number }>
  /** Our own proof is too old. */
  | Readonly<{ kind: 'expired-proof'; reason: string }>;

const body = z.object({ reason: z.string().max(100), timestamp: z.number().positive().optional() });

/** Reasons that say: this token reaches nothing here. */
const GONE = new Set(['BadDeviceToken', 'Unregistered', 'ExpiredToken']);
/** Statuses after which the same request may go well. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const MOST_WAIT_MS = 60_000;

const saidOf = (text: string) => {
  try {
    return body.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** `Retry-After` in seconds; Apple sends none mostly, and never dates. */
const waitOf = (value: unknown): number => {
  const seconds = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : 0;
  return Math.min(seconds * 1000, MOST_WAIT_MS);
};

const sinceOf = (timestamp: number | undefined): IsoTime | null => {
  const time = new Date(timestamp ?? NaN);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
};

/** Reads an answer. An answer that nobody can make sense of counts by its status. */
export const verdictOf = ({ status, headers, body: text }: H2Answer): Verdict => {
  if (status === 200) return { kind: 'delivered' };
  const said = saidOf(text);
  const reason = said?.reason ?? `status ${status}`;
  if (status === 410 || (status === 400 && GONE.has(reason))) {
    return { kind: 'gone', reason, since: sinceOf(said?.timestamp) };
  }
  if (status === 403 && reason === 'ExpiredProviderToken') return { kind: 'expired-proof', reason };
  if (PASSING.has(status)) return { kind: 'again', reason, afterMs: waitOf(headers['retry-after']) };
  return { kind: 'refused', reason };
};
