import type { Profiles } from '../../../../commands/billing-profile/customers.ts';
import type { Customers } from '../../../../commands/billing-profile/customers.ts';
import type { NoticeDesk } from '../../../../commands/payment-notices/notice-work.ts';
import type { LookingAgain } from '../../../../commands/purchases/looking-again.ts';
import type { Purchasing } from '../../../../commands/purchases/purchasing.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { NoticeReader, PaymentProvider } from '../../../kernel/payments.ts';
import type { QueryRunner } from '../../../kernel/query.ts';

/** What the endpoints of paying need. */
export type PaymentDeps = Readonly<{
  provider: PaymentProvider;
  customers: Customers;
  profiles: Profiles;
  purchasing: Purchasing;
  desk: NoticeDesk;
  /** Has a page that somebody waits for looked at, in the background. */
  lookAgain: LookingAgain['look'];
  readNotice: NoticeReader;
  /** Whether real money is meant: notices of the other kind are refused. */
  livemode: boolean;
  publishableKey: string | undefined;
  queries: QueryRunner;
  newId: () => string;
  clock: Clock;
}>;
