import type { IsoTime } from './message.ts';

/** Where a payment stands. `pending`: the buyer did all there is to do, the money is on its way (bank debits). */
export type PaymentStatus = 'open' | 'pending' | 'succeeded' | 'failed';

/** Money that goes back to the buyer. A refund that fails after all has the money stay here. */
export type RefundFacts = Readonly<{
  refundId: string;
  amountMinor: number;
  status: 'pending' | 'succeeded' | 'failed';
}>;

/** A payment that its owner's bank contests. `feeMinor` is what the provider charges for it. */
export type DisputeFacts = Readonly<{
  disputeId: string;
  amountMinor: number;
  reason: string;
  status: 'open' | 'won' | 'lost';
  feeMinor: number;
}>;

/** An invoice, in the currency it was made out in. `pdfUrl` opens it without a password. */
export type InvoiceFacts = Readonly<{
  invoiceId: string;
  status: 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';
  created: IsoTime;
  dueDate: IsoTime | null;
  amountPaidMinor: number;
  currency: string;
  pdfUrl: string | null;
}>;

export type PaymentFailure = Readonly<{ code: string; declineCode: string | null; needsAction: boolean }>;

/** What the provider takes for itself. */
export type ProcessorFee = Readonly<{ balanceTxnId: string; feeMinor: number; netMinor: number; availableOn: IsoTime }>;

/**
 * All that the provider knows of one purchase now. Facts are fetched, never taken from a notice, so that it does not
 * matter in which order notices come. Amounts are minor units of `currency`; `amountMinor` is with tax.
 */
export type PaymentFacts = Readonly<{
  purchaseId: string;
  status: PaymentStatus;
  /** Nothing can be paid any more, and nothing was. */
  closed: 'expired' | 'canceled' | 'voided' | null;
  sessionId: string | null;
  paymentIntentId: string | null;
  chargeId: string | null;
  methodType: string | null;
  currency: string;
  amountMinor: number;
  taxMinor: number;
  taxCountry: string | null;
  failure: PaymentFailure | null;
  processorFee: ProcessorFee | null;
  invoice: InvoiceFacts | null;
  refunds: readonly RefundFacts[];
  disputes: readonly DisputeFacts[];
}>;

export type TaxId = Readonly<{
  type_: string;
  value: string;
  country: string | null;
  verificationStatus: string | null;
}>;

/** Who the invoices go to. */
export type BillingDetails = Readonly<{
  customerName: string | null;
  customerEmail: string | null;
  phone: string | null;
  taxExempt: string | null;
  taxIds: readonly TaxId[];
  addressLine1: string | null;
  addressLine2: string | null;
  addressCity: string | null;
  addressState: string | null;
  addressPostalCode: string | null;
  addressCountry: string | null;
}>;

export type CardFacts = Readonly<{ brand: string; last4: string; expMonth: number; expYear: number }>;

/** `kind` as the provider writes it (`card`, `sepa_debit`). */
export type PaymentMethodFacts = Readonly<{
  paymentMethodId: string;
  kind: string;
  card: CardFacts | null;
  created: IsoTime;
}>;

/** All that the provider knows of a customer now. */
export type CustomerFacts = Readonly<{
  customerId: string;
  deleted: boolean;
  details: BillingDetails;
  methods: readonly PaymentMethodFacts[];
  defaultMethodId: string | null;
}>;

/** What is bought: the credit and the fee are two lines; their sum is the gross, without tax. Cents. */
export type CheckoutOrder = Readonly<{
  purchaseId: string;
  userId: string;
  customerId: string;
  creditMinor: number;
  feeMinor: number;
}>;

export type HostedPage = Readonly<{ sessionId: string; url: string; expiresAt: IsoTime }>;

/** How a purchase is found at the provider; any one of them will do. */
export type PaymentRef = Readonly<{ sessionId?: string; invoiceId?: string; paymentIntentId?: string }>;

/** The end of a session in which a payment method is added. */
export type SetupFacts = Readonly<{
  status: 'open' | 'complete' | 'expired';
  customerId: string | null;
  paymentMethodId: string | null;
}>;

/** The provider has no such customer any more. */
export class CustomerGoneError extends Error {
  override readonly name = 'CustomerGoneError';
  constructor() {
    super('the payment provider has no such customer any more');
  }
}

/**
 * The port to the payment provider. What it refuses for the buyer's sake is thrown as a DomainError of kind `payment`;
 * when it does not answer, `external_service_error`. What is opened for a customer that was deleted there rejects with
 * CustomerGoneError. Every call that makes something carries a key of our own, so that
 * repeating it makes nothing twice.
 */
export type PaymentProvider = Readonly<{
  /** Makes the user's customer. `attempt` counts the customers that were made and unlinked before. */
  createCustomer: (userId: string, attempt: number) => Promise<string>;
  /** The customer that was made for the user; undefined when there is none. For when a key is too old to be known. */
  findCustomer: (userId: string) => Promise<string | undefined>;
  nameCustomer: (customerId: string, who: Readonly<{ email?: string; name?: string }>) => Promise<void>;
  /** What there is to know; undefined when there never was such a customer. */
  customer: (customerId: string) => Promise<CustomerFacts | undefined>;
  setDefaultMethod: (customerId: string, paymentMethodId: string) => Promise<void>;
  /** Removes the customer and the methods with it. Idempotent. */
  deleteCustomer: (customerId: string) => Promise<void>;
  openCheckout: (order: CheckoutOrder) => Promise<HostedPage>;
  openSetup: (userId: string, customerId: string, key: string) => Promise<HostedPage>;
  openPortal: (customerId: string) => Promise<string>;
  setup: (sessionId: string) => Promise<SetupFacts>;
  /** The purchase that a payment belongs to; undefined when it is none of ours. */
  purchaseOf: (paymentIntentId: string) => Promise<string | undefined>;
  /** Undefined when the provider knows nothing by that name. */
  payment: (ref: PaymentRef) => Promise<PaymentFacts | undefined>;
  /** Makes and finalises the invoice of a purchase that nobody is present for. Answers its id. */
  issueInvoice: (order: CheckoutOrder) => Promise<string>;
  /** Charges it to the default method. A card that is refused is no error here: the facts tell. */
  payInvoice: (purchaseId: string, invoiceId: string) => Promise<void>;
  /** Lets nobody collect the invoice any more. Idempotent; a paid one stays paid. */
  voidInvoice: (purchaseId: string, invoiceId: string) => Promise<void>;
}>;

/** A notice that something happened at the provider: names only, the facts are fetched. */
export type PaymentNotice = Readonly<{
  noticeId: string;
  type: string;
  objectId: string;
  objectKind: string;
  paymentIntentId: string | null;
  customerId: string | null;
  purchaseId: string | null;
  livemode: boolean;
  apiVersion: string | null;
  createdAt: IsoTime;
  payloadSha256: string;
}>;

/** Reads a notice whose signature is right; undefined when it is not, or is too old or from the future. */
export type NoticeReader = (body: Buffer, signature: string, now: Date) => PaymentNotice | undefined;
