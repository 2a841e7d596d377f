import { COMPLETION, type CompletionEvent } from '../../../src/events/completion/completion.events.ts';
import { completionUpcasters } from '../../../src/events/completion/completion.upcasters.ts';
import type { Aggregate } from '../../../src/kernel/aggregate.ts';
import type { ClaimCommand } from './claims.commands.ts';
import { claimDecider } from './claims.decider.ts';
import type { Claim } from './claims.state.ts';

/** What a user's idempotency key stands for, for ever. */
export const completionClaim: Aggregate<Claim, ClaimCommand, CompletionEvent> = {
  category: COMPLETION,
  decider: claimDecider,
  upcasters: completionUpcasters,
};
