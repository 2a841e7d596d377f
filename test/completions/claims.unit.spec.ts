import { expect } from 'chai';
import type { EndCompletion, StartCompletion } from '../../commands/completions/claims/claims.commands.ts';
import { claimDecider } from '../../commands/completions/claims/claims.decider.ts';
import type { CompletionEvent } from '../../src/events/completion/completion.events.ts';
import { given } from '../support/given.ts';

const at = '2026-11-23T10:00:00.000Z';

const start = (attempt: number, over: Partial<StartCompletion['data']> = {}): StartCompletion => ({
  type: 'StartCompletion',
  key: `start:r${attempt}`,
  data: {
    requestId: `r${attempt}`,
    userId: 'ada',
    attempt,
    bodyDigest: 'digest',
    modelId: 'sandbox/echo',
    streamed: true,
    at,
    ...over,
  },
});

const end = (attempt: number, over: Partial<EndCompletion['data']> = {}): EndCompletion => ({
  type: 'EndCompletion',
  key: `end:r${attempt}`,
  data: { requestId: `r${attempt}`, attempt, how: 'completed', finish: 'stop', charged: '12', at, ...over },
});

const started = (attempt: number): CompletionEvent => ({ type: 'CompletionStarted', data: start(attempt).data });
const ended = (attempt: number, over: Partial<EndCompletion['data']> = {}): CompletionEvent => ({
  type: 'CompletionEnded',
  data: end(attempt, over).data,
});
const refused = { how: 'refused', finish: null, charged: null } as const;

describe('the claim of an idempotency key', () => {
  it('is taken by the first who comes', () => {
    given(claimDecider).when(start(1)).thenEvents(started(1));
  });

  it('is not taken by a second one while the first attempt runs', () => {
    given(claimDecider, started(1))
      .when(start(1, { requestId: 'rival' }))
      .thenNothing();
    given(claimDecider, started(1)).when(start(2)).thenNothing();
  });

  it('is not taken again once an attempt was charged, however it ended and be it nothing', () => {
    for (const over of [{}, { how: 'failed' }, { how: 'gone' }, { charged: '0' }] as const) {
      given(claimDecider, started(1), ended(1, over)).when(start(2)).thenNothing();
    }
  });

  it('is free for exactly the next attempt when everything was given back', () => {
    const history = [started(1), ended(1, refused)];
    given(claimDecider, ...history)
      .when(start(2))
      .thenEvents(started(2));
    given(claimDecider, ...history)
      .when(start(1, { requestId: 'late' }))
      .thenNothing();
    given(claimDecider, ...history)
      .when(start(3))
      .thenNothing();
  });

  it('is refused for other work, whatever became of the first', () => {
    for (const history of [[started(1)], [started(1), ended(1)], [started(1), ended(1, refused)]]) {
      const detail = given(claimDecider, ...history)
        .when(start(2, { bodyDigest: 'another' }))
        .thenRefused('already_exists');
      expect(detail).to.contain('another request');
    }
  });

  it('notes the end of the attempt that runs, once', () => {
    given(claimDecider, started(1)).when(end(1)).thenEvents(ended(1));
    given(claimDecider, started(1), ended(1))
      .when(end(1, { charged: '99' }))
      .thenNothing();
  });

  it('hears nothing from an attempt that somebody else has taken over', () => {
    given(claimDecider, started(1), ended(1, refused), started(2)).when(end(1)).thenNothing();
    given(claimDecider).when(end(1)).thenNothing();
  });
});
