import { CREDIT_ACCOUNT, type CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { CreditCommand } from './credits.commands.ts';
import { creditAccountDecider } from './credits.decider.ts';
import { creditAccountSnapshot } from './credits.snapshot.ts';
import type { CreditAccount } from './credits.state.ts';

/** The account that alone decides a user's balance. */
export const creditAccount: Aggregate<CreditAccount, CreditCommand, CreditAccountEvent> = {
  category: CREDIT_ACCOUNT,
  decider: creditAccountDecider,
  upcasters: creditAccountUpcasters,
  snapshot: creditAccountSnapshot,
};
