import type { AutoTopOffEvent } from '../../src/events/auto-top-off/auto-top-off.events.ts';
import { isoAfter, notAfter } from '../../src/kernel/clock.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type { AutoTopOffCommand, EndTopOff, TriggerTopOff } from './auto-top-off.commands.ts';

/** A purchase that is being made without anybody present. */
export type OpenTrigger = Readonly<{ triggerId: string; purchaseId: string; amountMinor: number; at: IsoTime }>;

/** Where automatic buying of one user stands. */
export type AutoTopOff = Readonly<{
  triggers: number;
  open: OpenTrigger | null;
  /** What was begun lately, for the caps. */
  recent: readonly Readonly<{ at: IsoTime; amountMinor: number }>[];
  consecutive: number;
  nextEligibleAt: IsoTime | null;
  suspended: boolean;
}>;

const HOUR_MS = 3_600_000;
const CAPPED_MS = 24 * HOUR_MS;
/** How long to wait after so many failures in a row. */
const BACK_OFF_MS = [HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];
const MOST_FAILURES = 3;

const isCapped = ({ data: { caps, amountMinor, at } }: TriggerTopOff, { recent }: AutoTopOff): boolean => {
  const counted = recent.filter((one) => !notAfter(isoAfter(one.at, CAPPED_MS), at));
  const spent = counted.reduce((sum, one) => sum + one.amountMinor, 0);
  return counted.length >= caps.count || spent + amountMinor > caps.amountMinor;
};

const trigger = (command: TriggerTopOff, state: AutoTopOff): readonly AutoTopOffEvent[] => {
  const { userId, balance, threshold, amountMinor, at } = command.data;
  if (state.open !== null || state.suspended || balance >= threshold) return [];
  if (state.nextEligibleAt !== null && !notAfter(state.nextEligibleAt, at)) return [];
  if (isCapped(command, state)) return [];
  const triggerId = uuidOf(`topOff|${userId}|${state.triggers}`);
  const purchaseId = uuidOf(`purchase|${triggerId}`);
  const amounts = { balance: microText(balance), threshold: microText(threshold), amountMinor };
  return [{ type: 'TopOffTriggered', data: { userId, triggerId, purchaseId, ...amounts, at } }];
};

const end = ({ data }: EndTopOff, state: AutoTopOff): readonly AutoTopOffEvent[] => {
  const { userId, triggerId, outcome, at } = data;
  if (state.open?.triggerId !== triggerId) return [];
  if (outcome === 'succeeded') return [{ type: 'TopOffSucceeded', data: { userId, triggerId, at } }];
  const { code, final } = outcome;
  const consecutive = state.consecutive + 1;
  const wait = BACK_OFF_MS[Math.min(consecutive, BACK_OFF_MS.length) - 1] ?? CAPPED_MS;
  const failed = { userId, triggerId, code, consecutive, nextEligibleAt: isoAfter(at, wait), at };
  const events: readonly AutoTopOffEvent[] = [{ type: 'TopOffFailed', data: failed }];
  if (!final && consecutive < MOST_FAILURES) return events;
  return [...events, { type: 'TopOffSuspended', data: { userId, reason: code, at } }];
};

const decide = (command: AutoTopOffCommand, state: AutoTopOff): readonly AutoTopOffEvent[] => {
  switch (command.type) {
    case 'TriggerTopOff':
      return trigger(command, state);
    case 'EndTopOff':
      return end(command, state);
    case 'ResumeTopOff': {
      if (!state.suspended && state.consecutive === 0) return [];
      return [{ type: 'TopOffResumed', data: { ...command.data, by: 'user' } }];
    }
    default:
      return never(command);
  }
};

const begun = (state: AutoTopOff, { triggerId, purchaseId, amountMinor, at }: OpenTrigger): AutoTopOff => ({
  ...state,
  triggers: state.triggers + 1,
  open: { triggerId, purchaseId, amountMinor, at },
  recent: [...state.recent.filter((one) => !notAfter(isoAfter(one.at, CAPPED_MS), at)), { at, amountMinor }],
});

const evolve = (state: AutoTopOff, event: AutoTopOffEvent): AutoTopOff => {
  switch (event.type) {
    case 'TopOffTriggered':
      return begun(state, event.data);
    case 'TopOffSucceeded':
      return { ...state, open: null, consecutive: 0, nextEligibleAt: null };
    case 'TopOffFailed': {
      const { consecutive, nextEligibleAt } = event.data;
      return { ...state, open: null, consecutive, nextEligibleAt };
    }
    case 'TopOffSuspended':
      return { ...state, suspended: true };
    case 'TopOffResumed':
      return { ...state, suspended: false, consecutive: 0, nextEligibleAt: null };
    default:
      return never(event);
  }
};

/** Decides when credit is bought by itself: one purchase at a time, within caps, and ever later after failures. */
export const autoTopOffDecider: Decider<AutoTopOff, AutoTopOffCommand, AutoTopOffEvent> = {
  initial: { triggers: 0, open: null, recent: [], consecutive: 0, nextEligibleAt: null, suspended: false },
  evolve,
  decide,
};
