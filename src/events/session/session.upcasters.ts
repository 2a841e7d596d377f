import type { Upcasters } from '../../kernel/upcasting.ts';
import type { SessionEvent } from './session.events.ts';

/** Every event of the session is still in its first shape. */
export const sessionUpcasters: Upcasters<SessionEvent> = {};
