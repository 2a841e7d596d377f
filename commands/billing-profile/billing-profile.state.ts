import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** How automatic buying is set. */
export type TopOffSettings = Readonly<{ enabled: boolean; threshold: MicroUsd; amountMinor: number }>;

/** What is known of how a user pays. */
export type BillingProfile = Readonly<{
  customerId: string | null;
  /** Customers that were unlinked. */
  unlinked: number;
  /** When the next customer was asked for; null: not yet. */
  requestedAt: IsoTime | null;
  hasName: boolean;
  addressComplete: boolean;
  digest: string | null;
  methods: readonly string[];
  defaultMethodId: string | null;
  /** Of what instant the newest facts are. */
  asOf: IsoTime | null;
  openSetups: readonly string[];
  topOff: TopOffSettings | null;
}>;

/** Of somebody who never paid. */
export const noProfile: BillingProfile = {
  customerId: null,
  unlinked: 0,
  requestedAt: null,
  hasName: false,
  addressComplete: false,
  digest: null,
  methods: [],
  defaultMethodId: null,
  asOf: null,
  openSetups: [],
  topOff: null,
};

/** True when there is a default method to charge. */
export const canBeCharged = ({ methods, defaultMethodId }: BillingProfile): boolean =>
  defaultMethodId !== null && methods.includes(defaultMethodId);

/** True when invoices can be made out. */
export const canBeInvoiced = ({ hasName, addressComplete }: BillingProfile): boolean => hasName && addressComplete;
