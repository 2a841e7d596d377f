import type { PurchaseKind } from '../../src/events/purchase/purchase.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { PaymentFacts } from '../../src/kernel/payments.ts';
import type { Sealed } from '../../src/kernel/vault.ts';
import type { PurchasePolicy } from './fee-tiers.ts';

/** The buyer's word on the right to withdraw, for consumers in the EU. */
export type WithdrawalConsent = Readonly<{ immediateStart: boolean; acknowledgesLoss: boolean; textVersion: string }>;

/**
 * Fixes what is bought and what it costs. Refused with invalid_argument by the policy, with already_exists when the
 * purchase is there with another amount or buyer. Sent again, it says nothing. Key `initiate:<purchaseId>`.
 */
export type InitiatePurchase = Command<
  'InitiatePurchase',
  Readonly<{
    purchaseId: string;
    userId: string;
    kind: PurchaseKind;
    grossMinor: number;
    policy: PurchasePolicy;
    triggerId: string | null;
    consent: WithdrawalConsent | null;
    at: IsoTime;
  }>
>;

/** The page to pay on is open. Key `session:<sessionId>`. */
export type NoteCheckout = Command<'NoteCheckout', Readonly<{ sessionId: string; expiresAt: IsoTime; at: IsoTime }>>;

/**
 * Learns what the payment provider knows now. Says only what is news and never goes back: facts may come late, doubled
 * and in any order. Key by the facts.
 */
export type LearnPayment = Command<
  'LearnPayment',
  Readonly<{ facts: PaymentFacts; pdfUrl: Sealed | null; at: IsoTime }>
>;

/** The account has the credit. Key `fulfil:<purchaseId>`. */
export type FulfilPurchase = Command<'FulfilPurchase', Readonly<{ at: IsoTime }>>;

/** The account is closed: what was paid is not credited and waits to be given back. Key `uncredited:<purchaseId>`. */
export type LeaveUncredited = Command<'LeaveUncredited', Readonly<{ at: IsoTime }>>;

/** Nothing was ever opened for it to be paid with; says nothing when it was. Key `abandon:<purchaseId>`. */
export type AbandonPurchase = Command<'AbandonPurchase', Readonly<{ at: IsoTime }>>;

export type PurchaseCommand =
  InitiatePurchase | NoteCheckout | LearnPayment | FulfilPurchase | LeaveUncredited | AbandonPurchase;
