import { expect } from 'chai';
import type { AutoTopOffCommand } from '../../commands/auto-top-off/auto-top-off.commands.ts';
import { autoTopOffDecider } from '../../commands/auto-top-off/auto-top-off.decider.ts';
import type { AutoTopOffEvent } from '../../src/events/auto-top-off/auto-top-off.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { given } from '../support/given.ts';

const userId = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const START = Date.parse('2026-03-01T00:00:00.000Z');
const hour = (hours: number): string => new Date(START + hours * 3_600_000).toISOString();

const trigger = (hours: number, over: Partial<{ balance: bigint; amountMinor: number }> = {}): AutoTopOffCommand => ({
  type: 'TriggerTopOff',
  key: `trigger:${hours}`,
  data: {
    userId,
    balance: 1n,
    threshold: 5n,
    amountMinor: 2000,
    caps: { count: 2, amountMinor: 10_000 },
    at: hour(hours),
    ...over,
  },
});

/** The history after a trigger at an hour that ended so. */
const after = (
  history: readonly AutoTopOffEvent[],
  hours: number,
  outcome?: 'succeeded' | Readonly<{ code: string; final: boolean }>,
): readonly AutoTopOffEvent[] => {
  const state = fold(autoTopOffDecider, autoTopOffDecider.initial, history);
  const begun = autoTopOffDecider.decide(trigger(hours), state);
  const open = fold(autoTopOffDecider, state, begun).open;
  if (outcome === undefined || open === null) return [...history, ...begun];
  const data = { userId, triggerId: open.triggerId, outcome, at: hour(hours) };
  const end: AutoTopOffCommand = { type: 'EndTopOff', key: 'end', data };
  return [...history, ...begun, ...autoTopOffDecider.decide(end, fold(autoTopOffDecider, state, begun))];
};

const declined = { code: 'card_declined', final: false };
const typesOf = (events: readonly AutoTopOffEvent[]): readonly string[] => events.map(({ type }) => type);

describe('automatic buying', () => {
  it('begins below the threshold only', () => {
    given(autoTopOffDecider)
      .when(trigger(0, { balance: 5n }))
      .thenNothing();
    expect(typesOf(after([], 0))).to.deep.equal(['TopOffTriggered']);
  });

  it('has one purchase open at most', () => {
    given(autoTopOffDecider, ...after([], 0))
      .when(trigger(0))
      .thenNothing();
  });

  it('keeps to its caps within 24 hours', () => {
    const twice = after(after([], 0, 'succeeded'), 1, 'succeeded');
    given(autoTopOffDecider, ...twice)
      .when(trigger(2))
      .thenNothing();
    expect(typesOf(after(twice, 24))).to.include('TopOffTriggered');
    given(autoTopOffDecider)
      .when(trigger(0, { amountMinor: 10_001 }))
      .thenNothing();
  });

  it('waits an hour, then six, and stops after three failures', () => {
    const once = after([], 0, declined);
    given(autoTopOffDecider, ...once)
      .when(trigger(0.9))
      .thenNothing();
    const twice = after(once, 1, declined);
    given(autoTopOffDecider, ...twice)
      .when(trigger(6.9))
      .thenNothing();
    const thrice = after(twice, 30, declined);
    expect(typesOf(thrice).slice(-2)).to.deep.equal(['TopOffFailed', 'TopOffSuspended']);
    given(autoTopOffDecider, ...thrice)
      .when(trigger(1000))
      .thenNothing();
  });

  it('stops at once when the bank wants to hear from the user, and goes on when it is set anew', () => {
    const stopped = after([], 0, { code: 'authentication_required', final: true });
    expect(typesOf(stopped).at(-1)).to.equal('TopOffSuspended');
    const resume: AutoTopOffCommand = { type: 'ResumeTopOff', key: 'resume', data: { userId, at: hour(2) } };
    given(autoTopOffDecider, ...stopped)
      .when(resume)
      .thenEvents({ type: 'TopOffResumed', data: { userId, at: hour(2), by: 'user' } });
    given(autoTopOffDecider).when(resume).thenNothing();
  });
});
