import type { ApiKeyCommand } from '../../../commands/api-keys/api-keys.commands.ts';
import type { ApiKey } from '../../../commands/api-keys/api-keys.state.ts';
import type { ApiKeyEvent } from '../../events/api-key/api-key.events.ts';
import type { CommandHandler } from '../../kernel/command-handler.ts';
import type { Caller } from '../endpoint.ts';
import { refused } from './checks.ts';

/** The caller with the API key as it is now; whoever is signed in stays as is. */
export type KeyNow = (caller: Caller) => Promise<Caller>;

/**
 * For connections that outlive many requests: a budget that was changed since they were opened counts from the next
 * request on. Throws DomainError `authentication_error` for a key that was revoked. No I/O for a key that this process
 * has seen.
 */
export const keyNow =
  (keys: Pick<CommandHandler<ApiKey, ApiKeyCommand, ApiKeyEvent>, 'state'>): KeyNow =>
  async (caller) => {
    const { apiKey } = caller;
    if (apiKey === undefined) return caller;
    const key = await keys.state(apiKey.keyId, { cached: true });
    if (key.status !== 'active') throw refused('this API key has been revoked; make another one');
    return { ...caller, apiKey: { ...apiKey, budget: key.budget } };
  };
