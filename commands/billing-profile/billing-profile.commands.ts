import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

/** A customer is about to be made; says nothing when there is one or one was asked for. Key `request:<attempt>`. */
export type RequestCustomer = Command<'RequestCustomer', Readonly<{ userId: string; at: IsoTime }>>;

/** The customer is this user's; says nothing when one is linked. Key `link:<customerId>`. */
export type LinkCustomer = Command<'LinkCustomer', Readonly<{ userId: string; customerId: string; at: IsoTime }>>;

/** The customer is gone; the next one is a new one. Key `unlink:<customerId>`. */
export type UnlinkCustomer = Command<
  'UnlinkCustomer',
  Readonly<{ userId: string; customerId: string; reason: 'deleted' | 'erased'; at: IsoTime }>
>;

/** What the payment provider knows of a customer, with everything personal sealed. */
export type LearnedCustomer = Readonly<{
  details: Readonly<{
    hasName: boolean;
    addressComplete: boolean;
    taxIdCount: number;
    sealed: Sealed;
    digest: string;
  }>;
  methods: readonly Readonly<{ pmId: string; kind: string; card: Sealed | null; created: IsoTime }>[];
  defaultMethodId: string | null;
}>;

/**
 * Learns what is news. Says nothing when the profile has learned anything since `seen` was read, before the look: then
 * these facts may be older than those known. Key by the facts and `seen`.
 */
export type LearnCustomer = Command<
  'LearnCustomer',
  Readonly<{ userId: string; customerId: string; learned: LearnedCustomer; seen: number; at: IsoTime }>
>;

/** Keys `setup:<sessionId>` and `setup-end:<sessionId>`. */
export type NoteSetup = Command<
  'NoteSetup',
  Readonly<{ userId: string; sessionId: string; expiresAt: IsoTime; at: IsoTime }>
>;
export type EndSetup = Command<
  'EndSetup',
  Readonly<{ userId: string; sessionId: string; status: 'complete' | 'expired'; at: IsoTime }>
>;

/**
 * Switches automatic buying on. Refused with payment_method_required and billing_address_required when it could not
 * work. Key by the request.
 */
export type ConfigureTopOff = Command<
  'ConfigureTopOff',
  Readonly<{ userId: string; threshold: MicroUsd; amountMinor: number; mandateTextVersion: string; at: IsoTime }>
>;

/** Switches it off; what was set is kept. Key by the request. */
export type DisableTopOff = Command<
  'DisableTopOff',
  Readonly<{ userId: string; by: 'user' | 'system'; reason: string; at: IsoTime }>
>;

export type BillingProfileCommand =
  | RequestCustomer
  | LinkCustomer
  | UnlinkCustomer
  | LearnCustomer
  | NoteSetup
  | EndSetup
  | ConfigureTopOff
  | DisableTopOff;
