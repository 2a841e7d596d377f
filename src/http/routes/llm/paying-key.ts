import type { CompletionOrder } from '../../../../commands/completions/completion-order.ts';
import type { Caller } from '../../endpoint.ts';

/** The member of an order or a job that books it under the caller's API key; none for somebody who is signed in. */
export const payingKey = ({ apiKey }: Pick<Caller, 'apiKey'>): Pick<CompletionOrder, 'apiKey'> =>
  apiKey === undefined ? {} : { apiKey: { keyId: apiKey.keyId, budget: apiKey.budget } };
