import { prefixOf } from '../../../../commands/api-keys/key-text.ts';
import type { ListedApiKey } from '../../../../queries/api-keys/list-api-keys.query.ts';
import { periodEnd, type Budget } from '../../../kernel/budget.ts';
import type { IsoTime } from '../../../kernel/message.ts';
import { usdText } from '../../../kernel/money.ts';

/** A budget as clients send and read it. */
export const budgetView = (budget: Budget | null) =>
  budget === null ? null : { limitUsd: usdText(budget.limit), period: budget.period };

const standing = ({ budget, spent }: ListedApiKey, now: IsoTime) => {
  if (budget === null) return null;
  const used = spent[budget.period];
  return {
    limitUsd: usdText(budget.limit),
    period: budget.period,
    spentUsd: usdText(used),
    remainingUsd: usdText(used < budget.limit ? budget.limit - used : 0n),
    resetsAt: periodEnd(now, budget.period),
  };
};

/** A key as its owner sees it in the list. */
export const keyView = (key: ListedApiKey, now: IsoTime) => ({
  id: key.keyId,
  name: key.name,
  prefix: prefixOf(key.keyId),
  lastFour: key.lastFour,
  scopes: key.scopes,
  budget: standing(key, now),
  spent: {
    todayUsd: usdText(key.spent.day),
    thisMonthUsd: usdText(key.spent.month),
    totalUsd: usdText(key.spent.total),
  },
  requests: key.requests,
  lastUsedAt: key.lastUsedAt,
  createdAt: key.createdAt,
  expiresAt: key.expiresAt,
  isExpired: key.expiresAt !== null && Date.parse(key.expiresAt) <= Date.parse(now),
});
