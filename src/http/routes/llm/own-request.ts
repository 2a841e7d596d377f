import type { Completions } from '../../../../commands/completions/completions.ts';
import type { RunningCompletion } from '../../../../commands/completions/running-completion.ts';
import { DomainError } from '../../../kernel/errors.ts';

/** A running request of this user. Throws DomainErrors `not_found` and `forbidden`. */
export const ownRequest = (completions: Completions, requestId: string, userId: string): RunningCompletion => {
  const running = completions.find(requestId.toLowerCase());
  if (running === undefined || running.isStopped())
    throw new DomainError('not_found', 'no such request is running; it may have ended');
  if (running.userId !== userId) throw new DomainError('forbidden', 'this request belongs to somebody else');
  return running;
};
