import type { Cause } from '../../src/kernel/message.ts';
import type { PaymentProvider } from '../../src/kernel/payments.ts';
import type { Profiles } from './customers.ts';

type Deps = Readonly<{
  profiles: Pick<Profiles, 'state' | 'handle'>;
  /** Undefined when nothing can be paid here: then there is nobody to tell. */
  provider: Pick<PaymentProvider, 'deleteCustomer' | 'findCustomer'> | undefined;
  newId: () => string;
}>;

/**
 * Has the payment provider forget a user, and forgets the customer here. Resolves with the customer that was forgotten.
 * Rejects while the provider is away: nothing is forgotten here then, so that trying again finds the customer. May be
 * repeated.
 */
export const forgettingCustomers =
  ({ profiles, provider, newId }: Deps) =>
  async (userId: string, cause: Cause): Promise<string | undefined> => {
    const { customerId: linked, requestedAt } = await profiles.state(userId);
    // One that was asked for may have been made by a process that died before it could say so.
    const isUnknown = linked === null && requestedAt !== null;
    const customerId = linked ?? (isUnknown ? await provider?.findCustomer(userId) : undefined);
    if (customerId === undefined) return undefined;
    await provider?.deleteCustomer(customerId);
    const data = { userId, customerId, reason: 'erased', at: cause.at } as const;
    await profiles.handle(userId, { type: 'UnlinkCustomer', key: `forget:${customerId}:${newId()}`, data }, cause);
    return customerId;
  };
