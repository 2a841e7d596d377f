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
  /** How much was ever learned of the customers: facts are as new as this was when they were asked for. */
  learned: number;
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
  learned: 0,
  openSetups: [],
  topOff: null,
};

/** True when there is a default method to charge. */
export const canBeCharged = ({
  methods,
  defaultMethodId,
}: Pick<BillingProfile, 'methods' | 'defaultMethodId'>): boolean =>
  defaultMethodId !== null && methods.includes(defaultMethodId);

/** True when invoices can be made out. */
export const canBeInvoiced = ({
  hasName,
  addressComplete,
}: Pick<BillingProfile, 'hasName' | 'addressComplete'>): boolean => hasName && addressComplete;
