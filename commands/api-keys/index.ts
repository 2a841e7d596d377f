import { API_KEY, type ApiKeyEvent } from '../../src/events/api-key/api-key.events.ts';
import { apiKeyUpcasters } from '../../src/events/api-key/api-key.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { ApiKeyCommand } from './api-keys.commands.ts';
import { apiKeyDecider } from './api-keys.decider.ts';
import type { ApiKey } from './api-keys.state.ts';

/** A key that programs use in a user's name, by key id. */
export const apiKeyAggregate: Aggregate<ApiKey, ApiKeyCommand, ApiKeyEvent> = {
  category: API_KEY,
  decider: apiKeyDecider,
  upcasters: apiKeyUpcasters,
};
