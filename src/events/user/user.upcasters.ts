import type { Upcasters } from '../../kernel/upcasting.ts';
import type { UserEvent } from './user.events.ts';

/** Every event of the user is still in its first shape. */
export const userUpcasters: Upcasters<UserEvent> = {};
