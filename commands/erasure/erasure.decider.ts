import type { ErasureEvent } from '../../src/events/erasure/erasure.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { never } from '../../src/kernel/never.ts';
import type { ErasureCommand, NoteErasureStep } from './erasure.commands.ts';
import { ERASURE_STEPS, type Erasure } from './erasure.state.ts';

const isUnderWay = (erasure: Erasure): boolean => erasure.status === 'running' || erasure.status === 'completed';

const note = ({ data: step }: NoteErasureStep, erasure: Erasure): readonly ErasureEvent[] => {
  if (erasure.status === 'running' || erasure.status === 'completed') {
    if (erasure.done[step.type] !== undefined) return [];
    const before = ERASURE_STEPS[ERASURE_STEPS.indexOf(step.type) - 1];
    if (before === undefined || erasure.done[before] !== undefined) return [step];
  }
  throw new DomainError('precondition_failed', `this erasure has not come to ${step.type} yet`);
};

const decide = (command: ErasureCommand, erasure: Erasure): readonly ErasureEvent[] => {
  switch (command.type) {
    case 'RequestErasure':
      return isUnderWay(erasure) ? [] : [{ type: 'ErasureRequested', data: command.data }];
    case 'BlockErasure':
      return erasure.status === 'running' && erasure.done.AccessEnded === undefined
        ? [{ type: 'ErasureBlocked', data: command.data }]
        : [];
    case 'NoteErasureStep':
      return note(command, erasure);
    default:
      return never(command);
  }
};

const evolve = (erasure: Erasure, event: ErasureEvent): Erasure => {
  switch (event.type) {
    case 'ErasureRequested':
      return { status: 'running', requestedAt: event.data.at, done: {} };
    case 'ErasureBlocked':
      return { status: 'blocked' };
    case 'AccessEnded':
    case 'ConnectionsEnded':
    case 'BelongingsRemoved':
    case 'SubjectKeyDestroyed':
    case 'ReadModelsPurged':
    case 'CustomerForgotten':
    case 'ErasureCompleted': {
      if (erasure.status !== 'running') return erasure;
      const status = event.type === 'ErasureCompleted' ? 'completed' : 'running';
      return { ...erasure, status, done: { ...erasure.done, [event.type]: event.data.at } };
    }
    default:
      return never(event);
  }
};

/** How far a user's erasure has come. What has taken its first step goes on to the end. */
export const erasureDecider: Decider<Erasure, ErasureCommand, ErasureEvent> = {
  initial: { status: 'none' },
  evolve,
  decide,
};
