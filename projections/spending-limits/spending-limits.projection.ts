import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { microOf, type MicroText } from '../../src/kernel/money.ts';
import { defineProjection } from '../../src/kernel/projection.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { spendingLimitTable } from './spending-limits.table.ts';

const amount = (text: MicroText | null): bigint | null => (text === null ? null : microOf(text));

/** The limits in force. */
export const spendingLimitsProjection = defineProjection<CreditAccountEvent>({
  name: 'spending-limits',
  version: 1,
  tables: [spendingLimitTable],
  streamPrefixes: creditAccountStreams,
  upcasters: creditAccountUpcasters,
  on: {
    SpendingLimitsSet: ({ stream, data: { setBy, limits, at } }) => [
      {
        op: 'set',
        table: spendingLimitTable,
        key: { user_id: accountOwner(stream), set_by: setBy },
        set: {
          day_soft_micro: amount(limits.daySoft),
          day_hard_micro: amount(limits.dayHard),
          month_soft_micro: amount(limits.monthSoft),
          month_hard_micro: amount(limits.monthHard),
          low_balance_micro: amount(limits.lowBalance),
          set_at: at,
        },
      },
    ],
  },
});
