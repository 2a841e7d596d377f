import type { PurchaseEvent, PurchaseInitiated } from '../../src/events/purchase/purchase.events.ts';
import { microOf } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type { BegunPurchase, Purchase } from './purchases.state.ts';

const begun = ({ data }: PurchaseInitiated): BegunPurchase => ({
  purchaseId: data.purchaseId,
  userId: data.userId,
  kind: data.kind,
  begunAt: data.at,
  grossMinor: data.grossMinor,
  feeMinor: data.feeMinor,
  creditMinor: data.creditMinor,
  triggerId: data.triggerId,
  status: 'open',
  sessionId: null,
  invoice: null,
  paymentIntentId: null,
  chargeId: null,
  paidMinor: 0,
  taxMinor: 0,
  failure: null,
  attempts: [],
  needsAction: false,
  refunds: [],
  disputes: [],
  feeLearned: false,
  told: [],
});

type Paying = Extract<
  PurchaseEvent,
  { type: 'PaymentPending' | 'PaymentSucceeded' | 'PaymentFailed' | 'PurchaseMismatchDetected' }
>;

type Attempt = Readonly<{ paymentIntentId: string | null; chargeId?: string | null }>;

/** What one attempt to pay is told apart by; `code` of a failure. */
export const attemptKey = ({ paymentIntentId, chargeId }: Attempt, code: string): string =>
  `${paymentIntentId ?? ''}|${chargeId ?? ''}|${code}`;

/** The code of money that is on its way. */
const ON_ITS_WAY = 'pending';

const paying = (state: BegunPurchase, event: Paying): BegunPurchase => {
  switch (event.type) {
    case 'PaymentPending':
      return {
        ...state,
        status: 'pending',
        paymentIntentId: event.data.paymentIntentId,
        attempts: [...state.attempts, attemptKey(event.data, ON_ITS_WAY)],
      };
    case 'PaymentSucceeded': {
      const { paymentIntentId, chargeId, amountMinor, taxMinor } = event.data;
      return { ...state, status: 'paid', paymentIntentId, chargeId, paidMinor: amountMinor, taxMinor };
    }
    case 'PaymentFailed': {
      const { paymentIntentId, code, needsAction } = event.data;
      const attempts = [...state.attempts, attemptKey(event.data, code)];
      return { ...state, status: 'failed', failure: code, attempts, needsAction, paymentIntentId };
    }
    case 'PurchaseMismatchDetected': {
      const told = [...state.told, event.data.what];
      return event.data.what === 'refund' ? { ...state, told } : { ...state, status: 'mismatch', told };
    }
    default:
      return never(event);
  }
};

type GoingBack = Extract<
  PurchaseEvent,
  { type: 'RefundRecorded' | 'RefundFailed' | 'DisputeOpened' | 'DisputeWon' | 'DisputeLost' }
>;

const disputeEnded = (state: BegunPurchase, disputeId: string, status: 'won' | 'lost'): BegunPurchase => ({
  ...state,
  disputes: state.disputes.map((dispute) => (dispute.disputeId === disputeId ? { ...dispute, status } : dispute)),
});

const goingBack = (state: BegunPurchase, event: GoingBack): BegunPurchase => {
  switch (event.type) {
    case 'RefundRecorded': {
      const { refundId, amountMinor, taxMinor, creditPart, feePartMinor: feeMinor } = event.data;
      const parts = { taxMinor, credit: microOf(creditPart), feeMinor, credited: event.data.credited };
      const refund = { refundId, amountMinor, ...parts, failed: false };
      return { ...state, refunds: [...state.refunds, refund] };
    }
    case 'RefundFailed':
      return {
        ...state,
        refunds: state.refunds.map((refund) =>
          refund.refundId === event.data.refundId ? { ...refund, failed: true } : refund,
        ),
      };
    case 'DisputeOpened': {
      const { disputeId, amountMinor, creditPart } = event.data;
      const dispute = { disputeId, amountMinor, credit: microOf(creditPart), status: 'open' as const };
      return { ...state, disputes: [...state.disputes, dispute] };
    }
    case 'DisputeWon':
      return disputeEnded(state, event.data.disputeId, 'won');
    case 'DisputeLost':
      return disputeEnded(state, event.data.disputeId, 'lost');
    default:
      return never(event);
  }
};

const going = (state: BegunPurchase, event: Exclude<PurchaseEvent, PurchaseInitiated>): BegunPurchase => {
  switch (event.type) {
    case 'WithdrawalConsentRecorded':
      return state;
    case 'CheckoutSessionOpened':
      return { ...state, sessionId: event.data.sessionId };
    case 'InvoiceIssued': {
      const { invoiceId, status, amountPaidMinor } = event.data;
      return { ...state, invoice: { invoiceId, status, amountPaidMinor } };
    }
    case 'PurchaseFulfilled':
      return { ...state, status: 'fulfilled' };
    case 'PurchaseClosedUnpaid':
      return { ...state, status: 'closed' };
    case 'ProcessorFeeLearned':
      return { ...state, feeLearned: true };
    case 'PaymentPending':
    case 'PaymentSucceeded':
    case 'PaymentFailed':
    case 'PurchaseMismatchDetected':
      return paying(state, event);
    default:
      return goingBack(state, event);
  }
};

/** The purchase after an event. */
export const evolvePurchase = (state: Purchase, event: PurchaseEvent): Purchase => {
  if (event.type === 'PurchaseInitiated') return begun(event);
  return state.status === 'none' ? state : going(state, event);
};
