import { scopeOfKey } from '../../src/kernel/budget.ts';
import { microText } from '../../src/kernel/money.ts';
import type { PayingKey, Plan } from './plan.ts';

/** The plan, paid with a key: the charge is booked under it, and every hold keeps its budget. */
export const paidWith = (plan: Plan, apiKey: PayingKey | undefined): Plan => {
  if (apiKey === undefined) return plan;
  const { keyId, budget } = apiKey;
  const work = { ...plan.work, apiKeyId: keyId };
  if (budget === null) return { ...plan, work };
  return { ...plan, work, budgets: [{ ...budget, scope: scopeOfKey(keyId), limit: microText(budget.limit) }] };
};
