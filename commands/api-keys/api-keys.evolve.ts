import type { ApiKeyEvent } from '../../src/events/api-key/api-key.events.ts';
import type { Budget, BudgetText } from '../../src/kernel/budget.ts';
import { microOf } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type { ActiveApiKey, ApiKey } from './api-keys.state.ts';

const budgetOf = (budget: BudgetText | null): Budget | null =>
  budget === null ? null : { limit: microOf(budget.limit), period: budget.period };

const evolveActive = (key: ActiveApiKey, event: ApiKeyEvent): ApiKey => {
  switch (event.type) {
    case 'ApiKeyCreated':
      return key;
    case 'ApiKeyBudgetChanged':
      return { ...key, budget: budgetOf(event.data.budget) };
    case 'ApiKeyRevoked':
      return { status: 'revoked', userId: key.userId };
    default:
      return never(event);
  }
};

/** The key after an event. A revoked one stays revoked. */
export const evolveApiKey = (key: ApiKey, event: ApiKeyEvent): ApiKey => {
  if (key.status === 'active') return evolveActive(key, event);
  if (key.status === 'revoked' || event.type !== 'ApiKeyCreated') return key;
  const { userId, secretHash, scopes, budget, expiresAt } = event.data;
  return { status: 'active', userId, secretHash, scopes, budget: budgetOf(budget), expiresAt };
};
