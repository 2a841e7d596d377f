import type { Upcasters } from '../../kernel/upcasting.ts';
import type { CreditAccountEvent } from './credit-account.events.ts';

/** Every event of the account is still in its first shape. */
export const creditAccountUpcasters: Upcasters<CreditAccountEvent> = {};
