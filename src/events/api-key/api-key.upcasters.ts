import type { Upcasters } from '../../kernel/upcasting.ts';
import type { ApiKeyEvent } from './api-key.events.ts';

/** Every event of an API key is still in its first shape. */
export const apiKeyUpcasters: Upcasters<ApiKeyEvent> = {};
