/** Names that reports already filter by, and that the event's own name does not give. */
const established: Readonly<Record<string, string>> = {
  CreditsPurchased: 'credit_purchase_succeeded',
  DefaultPaymentMethodChanged: 'default_payment_method_updated',
};

/** What happened, as the audit trail names it: an established name, else the event's name in snake case. */
export const auditAction = (eventType: string): string =>
  established[eventType] ?? eventType.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
