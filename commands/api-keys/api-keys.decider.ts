import type { ApiKeyEvent } from '../../src/events/api-key/api-key.events.ts';
import type { Budget, BudgetText } from '../../src/kernel/budget.ts';
import { notAfter } from '../../src/kernel/clock.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { microText } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type { ApiKeyCommand, ChangeApiKeyBudget, CreateApiKey, RevokeApiKey } from './api-keys.commands.ts';
import { evolveApiKey } from './api-keys.evolve.ts';
import type { ActiveApiKey, ApiKey } from './api-keys.state.ts';

const textOf = (budget: Budget | null): BudgetText | null =>
  budget === null ? null : { limit: microText(budget.limit), period: budget.period };

const create = ({ data }: CreateApiKey, key: ApiKey): readonly ApiKeyEvent[] => {
  if (key.status !== 'none') {
    throw new DomainError(
      'already_exists',
      'this request has already made a key, whose text was told once; revoke that key and make another one',
      { details: { id: data.keyId } },
    );
  }
  if (data.expiresAt !== null && notAfter(data.expiresAt, data.at)) {
    throw new DomainError('validation_error', 'expiresAt is over already; name a time to come, or none');
  }
  return [{ type: 'ApiKeyCreated', data: { ...data, budget: textOf(data.budget) } }];
};

const noKey = (): DomainError => new DomainError('not_found', 'this user has no such API key');

/** The caller's key. To strangers a key looks like one that does not exist. */
const mine = (key: ApiKey, userId: string): Exclude<ApiKey, { status: 'none' }> => {
  if (key.status !== 'none' && key.userId === userId) return key;
  throw noKey();
};

const isSame = ({ budget: before }: ActiveApiKey, budget: Budget | null): boolean =>
  before?.limit === budget?.limit && before?.period === budget?.period;

const changeBudget = ({ data }: ChangeApiKeyBudget, state: ApiKey): readonly ApiKeyEvent[] => {
  const key = mine(state, data.userId);
  if (key.status === 'revoked') throw noKey();
  if (isSame(key, data.budget)) return [];
  return [{ type: 'ApiKeyBudgetChanged', data: { ...data, budget: textOf(data.budget) } }];
};

const revoke = ({ data }: RevokeApiKey, state: ApiKey): readonly ApiKeyEvent[] =>
  mine(state, data.userId).status === 'revoked' ? [] : [{ type: 'ApiKeyRevoked', data }];

const decide = (command: ApiKeyCommand, key: ApiKey): readonly ApiKeyEvent[] => {
  switch (command.type) {
    case 'CreateApiKey':
      return create(command, key);
    case 'ChangeApiKeyBudget':
      return changeBudget(command, key);
    case 'RevokeApiKey':
      return revoke(command, key);
    default:
      return never(command);
  }
};

/** Decides whose a key is, what it is for, and that it has ended. */
export const apiKeyDecider: Decider<ApiKey, ApiKeyCommand, ApiKeyEvent> = {
  initial: { status: 'none' },
  evolve: evolveApiKey,
  decide,
};
