import type { StripeEventEvent } from '../../src/events/stripe-event/stripe-event.events.ts';
import { isoAfter, notAfter } from '../../src/kernel/clock.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { never } from '../../src/kernel/never.ts';
import type { PaymentNotice } from '../../src/kernel/payments.ts';
import type { NoticeCommand } from './payment-notices.commands.ts';

/** A notice and what became of it. `since` is when the work on it began, or began anew. */
export type ReceivedNotice = Readonly<{
  status: 'waiting' | 'applied' | 'ignored' | 'parked';
  notice: Omit<PaymentNotice, 'noticeId'>;
  since: IsoTime;
  attempts: number;
  /** How often anything was said about it, so that each word has a key of its own. */
  said: number;
}>;

export type NoticeState = Readonly<{ status: 'none'; said: 0 }> | ReceivedNotice;

const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 3_600_000;
const GIVEN_UP_AFTER_MS = 3 * 86_400_000;

/** How long to wait after so many attempts. */
const retryAfterMs = (attempts: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 20));

const fail = (state: ReceivedNotice, code: string, at: IsoTime): StripeEventEvent => {
  const attempt = state.attempts + 1;
  return notAfter(isoAfter(state.since, GIVEN_UP_AFTER_MS), at)
    ? { type: 'StripeEventParked', data: { attempts: attempt, code, at } }
    : { type: 'StripeEventFailed', data: { attempt, code, nextAttemptAt: isoAfter(at, retryAfterMs(attempt)), at } };
};

const decideReceived = (
  command: Exclude<NoticeCommand, { type: 'ReceiveNotice' }>,
  state: ReceivedNotice,
): readonly StripeEventEvent[] => {
  const { at } = command.data;
  if (command.type === 'ReplayNotice') return [{ type: 'StripeEventReplayed', data: command.data }];
  if (state.status !== 'waiting') return [];
  switch (command.type) {
    case 'ApplyNotice':
      return [{ type: 'StripeEventApplied', data: command.data }];
    case 'IgnoreNotice':
      return [{ type: 'StripeEventIgnored', data: command.data }];
    case 'FailNotice':
      return [fail(state, command.data.code, at)];
    case 'ParkNotice':
      return [{ type: 'StripeEventParked', data: { attempts: state.attempts + 1, code: command.data.code, at } }];
    default:
      return never(command);
  }
};

const decide = (command: NoticeCommand, state: NoticeState): readonly StripeEventEvent[] => {
  if (command.type === 'ReceiveNotice') {
    const { notice, at } = command.data;
    return state.status === 'none' ? [{ type: 'StripeEventReceived', data: { ...notice, at } }] : [];
  }
  if (state.status === 'none') throw new DomainError('not_found', 'no such notice has arrived');
  return decideReceived(command, state);
};

const evolveReceived = (
  state: ReceivedNotice,
  event: Exclude<StripeEventEvent, { type: 'StripeEventReceived' }>,
): ReceivedNotice => {
  const said = state.said + 1;
  switch (event.type) {
    case 'StripeEventApplied':
      return { ...state, status: 'applied', said };
    case 'StripeEventIgnored':
      return { ...state, status: 'ignored', said };
    case 'StripeEventFailed':
      return { ...state, attempts: event.data.attempt, said };
    case 'StripeEventParked':
      return { ...state, status: 'parked', attempts: event.data.attempts, said };
    case 'StripeEventReplayed':
      return { ...state, status: 'waiting', since: event.data.at, attempts: 0, said };
    default:
      return never(event);
  }
};

const evolve = (state: NoticeState, event: StripeEventEvent): NoticeState => {
  if (event.type === 'StripeEventReceived') {
    const { at, noticeId: _id, ...notice } = event.data;
    return { status: 'waiting', notice, since: at, attempts: 0, said: 1 };
  }
  return state.status === 'none' ? state : evolveReceived(state, event);
};

/** Decides what becomes of a notice. */
export const noticeDecider: Decider<NoticeState, NoticeCommand, StripeEventEvent> = {
  initial: { status: 'none', said: 0 },
  evolve,
  decide,
};
