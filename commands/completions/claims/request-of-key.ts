import type { CompletionEvent } from '../../../src/events/completion/completion.events.ts';
import type { CommandHandler } from '../../../src/kernel/command-handler.ts';
import { uuidOf } from '../../../src/kernel/ids.ts';
import type { ClaimCommand } from './claims.commands.ts';
import type { Claim } from './claims.state.ts';

/** The claim that a key of a user is. */
export const claimIdOf = (userId: string, key: string): string => uuidOf(`completion|${userId}|${key}`);

/** The newest request that was begun with a user's key; undefined when there was none. */
export type RequestOfKey = (userId: string, key: string) => Promise<string | undefined>;

/** Asks the log, so that what another instance has begun a moment ago is found. */
export const requestOfKey =
  (claims: Pick<CommandHandler<Claim, ClaimCommand, CompletionEvent>, 'state'>): RequestOfKey =>
  async (userId, key) => {
    const claim = await claims.state(claimIdOf(userId, key));
    return claim.status === 'unused' ? undefined : claim.started.requestId;
  };
