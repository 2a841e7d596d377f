import type { CompletionEvent } from '../../../src/events/completion/completion.events.ts';
import type { Decider } from '../../../src/kernel/decider.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import { never } from '../../../src/kernel/never.ts';
import type { ClaimCommand, EndCompletion, StartCompletion } from './claims.commands.ts';
import type { Claim } from './claims.state.ts';

/** Throws DomainError `already_exists` when a key stands for other work than this. */
export const mustBeSameWork = (claim: Claim, bodyDigest: string): void => {
  if (claim.status === 'unused' || claim.started.bodyDigest === bodyDigest) return;
  throw new DomainError(
    'already_exists',
    'this idempotency key was used for another request; send the same body again or choose a new key',
    { details: { requestId: claim.started.requestId } },
  );
};

/** The number of the attempt that a free key is open for; undefined while one runs or when one was charged. */
export const nextAttempt = (claim: Claim): number | undefined => {
  if (claim.status === 'unused') return 1;
  return claim.status === 'free' ? claim.started.attempt + 1 : undefined;
};

const start = ({ data }: StartCompletion, claim: Claim): readonly CompletionEvent[] => {
  mustBeSameWork(claim, data.bodyDigest);
  return nextAttempt(claim) === data.attempt ? [{ type: 'CompletionStarted', data }] : [];
};

const end = ({ data }: EndCompletion, claim: Claim): readonly CompletionEvent[] =>
  claim.status === 'running' && claim.started.requestId === data.requestId ? [{ type: 'CompletionEnded', data }] : [];

/** Decides who may do the work that a key stands for. */
export const claimDecider: Decider<Claim, ClaimCommand, CompletionEvent> = {
  initial: { status: 'unused' },
  evolve: (claim, event) => {
    switch (event.type) {
      case 'CompletionStarted':
        return { status: 'running', started: event.data };
      case 'CompletionEnded':
        if (claim.status === 'unused') return claim;
        return event.data.charged === null
          ? { status: 'free', started: claim.started }
          : { status: 'final', started: claim.started, ended: event.data };
      default:
        return never(event);
    }
  },
  decide: (command, claim) => {
    switch (command.type) {
      case 'StartCompletion':
        return start(command, claim);
      case 'EndCompletion':
        return end(command, claim);
      default:
        return never(command);
    }
  },
};
