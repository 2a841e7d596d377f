import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { completionCancelDecider } from '../../commands/completion-cancels/completion-cancels.decider.ts';
import type { RunningCompletion } from '../../commands/completions/running-completion.ts';
import type { KnownRequests } from '../../src/http/routes/llm/known-requests.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { cause, givenCompletions, order, staying, type GivenCompletions } from '../completions/given-completions.ts';
import { finished, scriptedUpstream, started, text, used, type Step } from '../completions/scripted-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { memoryLogger, type LogLine } from '../support/memory-logger.ts';
import { ada, grace } from '../support/given-http.ts';
import { given as givenHistory } from '../support/given.ts';
import { givenRequests, hearing } from './given-requests.ts';

const pause = (milliseconds: number): Promise<void> => wait(Math.min(milliseconds, 5));
const sink = { take: () => undefined };
const UNKNOWN = '00000000-0000-4000-8000-00000000beef';

const refusal = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt;
  } catch (error) {
    if (isDomainError(error)) return error.errorType;
    throw error;
  }
  return 'not refused';
};

describe('the wish to end a request', () => {
  const data = { requestId: UNKNOWN, userId: ada.userId, at: '2026-11-23T10:00:00.000Z' };
  const wish = { type: 'RequestCompletionCancel', key: `cancel:${UNKNOWN}`, data } as const;

  it('is said', () => {
    givenHistory(completionCancelDecider).when(wish).thenEvents({ type: 'CompletionCancelRequested', data });
  });

  it('is said once', () => {
    givenHistory(completionCancelDecider, { type: 'CompletionCancelRequested', data }).when(wish).thenNothing();
  });
});

describe('requests that run on another instance', () => {
  let here: GivenCompletions;
  let other: KnownRequests;
  let running: RunningCompletion;
  let stopHearing: () => Promise<void>;
  let heard: readonly LogLine[];

  const run = async (script: readonly Step[]): Promise<void> => {
    here = await givenCompletions(scriptedUpstream(script));
    const { store, completions } = here;
    const { logger, lines } = memoryLogger();
    heard = lines;
    stopHearing = hearing({ store, completions, pause, logger });
    other = givenRequests({ store, completions: { find: () => undefined }, pause });
    running = await completions.open(order('hello'), cause, staying());
  };

  afterEach(async () => {
    await stopHearing();
    await here.completions.shutdown({ graceMs: 0, limitMs: 1_000 });
  });

  it('are ended there and charged', async () => {
    await run([started, text('one'), 'silence']);
    const ended = running.deliver(sink);
    expect(await other.cancel(running.requestId, ada.userId, cause)).to.equal('ended');
    expect(await ended).to.include({ how: 'cancelled', endedBy: 'cancel' });
    expect(here.last('ReservationCaptured')!.data).to.include({ endedBy: 'cancel', estimated: true });
  });

  it('are ended by one cancel only', async () => {
    await run([started, text('one'), 'silence']);
    const cancels = Array.from({ length: 5 }, () => refusal(other.cancel(running.requestId, ada.userId, cause)));
    const outcomes = await Promise.all(cancels);
    expect(outcomes.toSorted()).to.deep.equal(['not refused', ...Array<string>(4).fill('not_found')]);
    expect(await refusal(other.cancel(running.requestId, ada.userId, cause))).to.equal('not_found');
    expect(await refusal(here.requests.cancel(running.requestId, ada.userId, cause))).to.equal('not_found');
  });

  it('are nobody else’s to end or to look at, also after their end', async () => {
    await run([started, text('one'), 'silence']);
    const refusals = async () => [
      await refusal(other.cancel(running.requestId, grace.userId, cause)),
      await refusal(other.standing(running.requestId, grace.userId)),
      await refusal(here.requests.cancel(running.requestId, grace.userId, cause)),
    ];
    expect(await refusals()).to.deep.equal(['forbidden', 'forbidden', 'forbidden']);
    await running.stop('client');
    expect(await refusals()).to.deep.equal(['forbidden', 'forbidden', 'forbidden']);
  });

  it('are not found when nobody has heard of them', async () => {
    await run([started, text('one'), 'silence']);
    expect(await refusal(other.cancel(UNKNOWN, ada.userId, cause))).to.equal('not_found');
    expect(await refusal(other.standing(UNKNOWN, ada.userId))).to.equal('not_found');
  });

  it('are ended also when the store was away in between', async () => {
    await run([started, text('one'), 'silence']);
    const ended = running.deliver(sink);
    here.store.outage(true);
    await eventually('the follower to miss the store', () => heard.find(({ level }) => level === 'warn'));
    here.store.outage(false);
    await other.cancel(running.requestId, ada.userId, cause);
    expect(await ended).to.include({ how: 'cancelled' });
  });

  it('say that they are active while they run, here and elsewhere', async () => {
    await run([started, text('one'), 'silence']);
    const mine = await here.requests.standing(running.requestId, ada.userId);
    expect(mine).to.include({ provider: 'sandbox', status: 'active', openaiResponseId: null });
    expect(await other.standing(running.requestId, ada.userId)).to.include({ provider: 'sandbox', status: 'active' });
  });

  const ends: readonly (readonly [string, readonly Step[], string])[] = [
    ['completed', [started, text('one'), finished, used(3, 1)], 'completed'],
    ['failed', [started, text('one'), { fail: 'network' }], 'failed'],
    ['failed before they said anything', [started, { fail: 'server' }], 'failed'],
  ];
  for (const [what, script, status] of ends) {
    it(`say that they have ${what}`, async () => {
      await run(script);
      await running.deliver(sink);
      await running.settled;
      expect(await other.standing(running.requestId, ada.userId)).to.include({ provider: 'sandbox', status });
      expect(await refusal(other.cancel(running.requestId, ada.userId, cause))).to.equal('not_found');
    });
  }

  it('say that they were cancelled, before and after the answer began', async () => {
    await run([started, text('one'), 'silence']);
    void running.deliver(sink);
    await running.stop('cancel');
    expect(await other.standing(running.requestId, ada.userId)).to.include({ status: 'cancelled' });
  });

  it('do not pretend to know an end that the read models have not seen', async () => {
    await run([started, text('one'), finished, used(3, 1)]);
    await running.deliver(sink);
    const { store } = here;
    let now = 0;
    const behind = givenRequests({
      store,
      completions: { find: () => undefined },
      pause,
      lookUp: () => undefined,
      clock: () => new Date((now += 100)),
    });
    expect(await refusal(behind.standing(running.requestId, ada.userId))).to.equal('service_unavailable');
  });
});
