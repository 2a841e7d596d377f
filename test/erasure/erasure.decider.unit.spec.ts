import type { ErasureCommand, NoteErasureStep } from '../../commands/erasure/erasure.commands.ts';
import { erasureDecider } from '../../commands/erasure/erasure.decider.ts';
import type { ErasureEvent, ErasureStep } from '../../src/events/erasure/erasure.events.ts';
import { given } from '../support/given.ts';

const userId = '11111111-1111-4111-8111-111111111111';
const at = '2026-03-01T12:00:00.000Z';

const request: ErasureCommand = { type: 'RequestErasure', key: 'request', data: { userId, by: 'user', at } };
const block: ErasureCommand = { type: 'BlockErasure', key: 'block', data: { userId, why: 'a dispute', at } };
const noting = (step: ErasureStep): NoteErasureStep => ({
  type: 'NoteErasureStep',
  key: `step:${step.type}`,
  data: step,
});

const requested: ErasureEvent = { type: 'ErasureRequested', data: { userId, by: 'user', at } };
const blocked: ErasureEvent = { type: 'ErasureBlocked', data: { userId, why: 'a dispute', at } };
const steps: readonly ErasureStep[] = [
  { type: 'AccessEnded', data: { userId, at } },
  { type: 'ConnectionsEnded', data: { userId, sessions: 1, apiKeys: 2, at } },
  { type: 'BelongingsRemoved', data: { userId, devices: 1, answers: 0, at } },
  { type: 'SubjectKeyDestroyed', data: { userId, keyId: userId, proof: null, at } },
  { type: 'ReadModelsPurged', data: { userId, tables: ['users'], at } },
  { type: 'CustomerForgotten', data: { userId, hadCustomer: false, at } },
  { type: 'ErasureCompleted', data: { userId, requestedAt: at, at } },
];
const [ended] = steps;
if (ended === undefined) throw new Error('there are steps');

describe('an erasure', () => {
  it('begins when its user asks, once', () => {
    given(erasureDecider).when(request).thenEvents(requested);
    given(erasureDecider, requested).when(request).thenNothing();
    given(erasureDecider, requested, ...steps)
      .when(request)
      .thenNothing();
  });

  it('takes its steps in their order, each once', () => {
    for (const [index, step] of steps.entries()) {
      const before = [requested, ...steps.slice(0, index)];
      given(erasureDecider, ...before)
        .when(noting(step))
        .thenEvents(step);
      given(erasureDecider, ...before, step)
        .when(noting(step))
        .thenNothing();
      for (const later of steps.slice(index + 1)) {
        given(erasureDecider, ...before)
          .when(noting(later))
          .thenRefused('precondition_failed');
      }
    }
  });

  it('takes no step that nobody asked for', () => {
    given(erasureDecider).when(noting(ended)).thenRefused('precondition_failed');
    given(erasureDecider, requested, blocked).when(noting(ended)).thenRefused('precondition_failed');
  });

  it('can be blocked before its first step, and asked for again', () => {
    given(erasureDecider, requested).when(block).thenEvents(blocked);
    given(erasureDecider, requested, blocked).when(block).thenNothing();
    given(erasureDecider, requested, blocked).when(request).thenEvents(requested);
  });

  it('cannot be stopped after that', () => {
    given(erasureDecider, requested, ended).when(block).thenNothing();
  });
});
