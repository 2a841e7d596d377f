import type { Upcasters } from '../../kernel/upcasting.ts';
import type { PushTokenEvent } from './push-token.events.ts';

/** Every event of a push token is still in its first shape. */
export const pushTokenUpcasters: Upcasters<PushTokenEvent> = {};
