import type { PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { microText, type MicroUsd } from '../../src/kernel/money.ts';
import type { DisputeFacts, PaymentFacts, RefundFacts } from '../../src/kernel/payments.ts';
import { shareOf } from './fee-tiers.ts';
import type { LearnPayment } from './purchases.commands.ts';
import { attemptKey, evolvePurchase } from './purchases.evolve.ts';
import type { BegunPurchase, Refunded } from './purchases.state.ts';

const MICRO_PER_CENT = 10_000n;

/** Cents as micro-USD. */
export const microOfCents = (cents: number): MicroUsd => BigInt(cents) * MICRO_PER_CENT;

type Said = Readonly<{ purchaseId: string; userId: string; at: string }>;

const isPaid = ({ status }: BegunPurchase): boolean => status === 'paid' || status === 'fulfilled';

const invoiceNews = ({ data }: LearnPayment, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  const { invoice } = data.facts;
  if (invoice === null) return [];
  const { invoiceId, status, amountPaidMinor, created, dueDate, currency } = invoice;
  const known = state.invoice;
  const final = known !== null && ['paid', 'void', 'uncollectible'].includes(known.status);
  if (known?.invoiceId === invoiceId && (final || known.status === status)) return [];
  const facts = { invoiceId, status, created, dueDate, amountPaidMinor, currency, pdfUrl: data.pdfUrl };
  return [{ type: 'InvoiceIssued', data: { ...said, ...facts } }];
};

const succeeded = (facts: PaymentFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  const { amountMinor, taxMinor, currency, chargeId, invoice, taxCountry } = facts;
  const mismatch = (what: 'currency' | 'amount', expectedMinor: number): PurchaseEvent => ({
    type: 'PurchaseMismatchDetected',
    data: { ...said, what, expectedMinor, seenMinor: amountMinor, seenCurrency: currency },
  });
  if (currency !== 'usd') return [mismatch('currency', state.grossMinor)];
  const paid: PurchaseEvent = {
    type: 'PaymentSucceeded',
    data: {
      ...said,
      paymentIntentId: facts.paymentIntentId ?? '',
      chargeId,
      invoiceId: invoice?.invoiceId ?? null,
      ...{ amountMinor, taxMinor, currency, taxCountry },
    },
  };
  const expected = state.grossMinor + taxMinor;
  return amountMinor === expected ? [paid] : [paid, mismatch('amount', expected)];
};

const failed = (facts: PaymentFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  const { paymentIntentId, chargeId } = facts;
  const failure = facts.failure ?? { code: 'canceled', declineCode: null, needsAction: false };
  if (state.attempts.includes(attemptKey(facts, failure.code))) return [];
  return [{ type: 'PaymentFailed', data: { ...said, paymentIntentId, chargeId, ...failure } }];
};

/** The same attempt may have failed since this was looked at. */
const onItsWay = (facts: PaymentFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  const { paymentIntentId, chargeId, methodType } = facts;
  const attempt = attemptKey(facts, '');
  if (paymentIntentId === null || state.attempts.some((known) => known.startsWith(attempt))) return [];
  return [{ type: 'PaymentPending', data: { ...said, paymentIntentId, chargeId, methodType } }];
};

const closing = ({ closed }: PaymentFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] =>
  closed === null || state.status === 'closed'
    ? []
    : [{ type: 'PurchaseClosedUnpaid', data: { ...said, reason: closed } }];

const paymentNews = (facts: PaymentFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  if (isPaid(state) || state.status === 'mismatch') return [];
  if (facts.status === 'succeeded') return succeeded(facts, state, said);
  // An old look must not undo what a newer one has told.
  if (state.status === 'closed') return [];
  if (facts.status === 'pending') return onItsWay(facts, state, said);
  const failure = facts.status === 'failed' ? failed(facts, state, said) : [];
  return [...failure, ...closing(facts, state, said)];
};

const living = (refunds: readonly Refunded[]): readonly Refunded[] => refunds.filter((refund) => !refund.failed);

const sum = (refunds: readonly Refunded[], part: 'amountMinor' | 'taxMinor' | 'feeMinor'): number =>
  refunds.reduce((total, refund) => total + refund[part], 0);

/** The parts of a refund. Reckoned on all refunds together, so that refunds of everything give back exactly everything. */
const apportioned = (state: BegunPurchase, amountMinor: number) => {
  if (state.status === 'mismatch') return { taxMinor: 0, creditPart: '0', feePartMinor: 0, credited: false };
  const before = living(state.refunds);
  const together = sum(before, 'amountMinor') + amountMinor;
  const taxMinor = shareOf(together, state.taxMinor, state.paidMinor) - sum(before, 'taxMinor');
  const net = together - sum(before, 'taxMinor') - taxMinor;
  const feePartMinor = shareOf(net, state.feeMinor, state.grossMinor) - sum(before, 'feeMinor');
  const creditPart = microText(microOfCents(amountMinor - taxMinor - feePartMinor));
  return { taxMinor, creditPart, feePartMinor, credited: true };
};

const refundNews = (facts: RefundFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  const { refundId, amountMinor, status } = facts;
  const known = state.refunds.find((refund) => refund.refundId === refundId);
  if (known !== undefined) {
    if (status !== 'failed' || known.failed) return [];
    const { taxMinor, feeMinor: feePartMinor, credit, credited } = known;
    const parts = { taxMinor, feePartMinor, creditPart: microText(credit), credited };
    return [{ type: 'RefundFailed', data: { ...said, refundId, amountMinor: known.amountMinor, ...parts } }];
  }
  if (status === 'failed') return [];
  const expectedMinor = state.paidMinor - sum(living(state.refunds), 'amountMinor');
  if (amountMinor > expectedMinor) {
    if (state.told.includes('refund')) return [];
    const seen = { seenMinor: amountMinor, seenCurrency: 'usd' };
    return [{ type: 'PurchaseMismatchDetected', data: { ...said, what: 'refund', expectedMinor, ...seen } }];
  }
  return [{ type: 'RefundRecorded', data: { ...said, refundId, amountMinor, ...apportioned(state, amountMinor) } }];
};

const disputeNews = (facts: DisputeFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] => {
  const { disputeId, reason, status, feeMinor } = facts;
  const known = state.disputes.find((dispute) => dispute.disputeId === disputeId);
  const amountMinor = known?.amountMinor ?? Math.min(facts.amountMinor, state.paidMinor);
  const credited = state.status !== 'mismatch';
  const share = credited ? shareOf(amountMinor, state.creditMinor, state.paidMinor) : 0;
  const creditPart = microText(known?.credit ?? microOfCents(share));
  const opened: readonly PurchaseEvent[] =
    known === undefined
      ? [{ type: 'DisputeOpened', data: { ...said, disputeId, amountMinor, reason, creditPart } }]
      : [];
  if (status === 'open' || (known !== undefined && known.status !== 'open')) return opened;
  return [
    ...opened,
    status === 'won'
      ? { type: 'DisputeWon', data: { ...said, disputeId, amountMinor } }
      : {
          type: 'DisputeLost',
          data: { ...said, disputeId, amountMinor, creditPart, lossFeeMinor: feeMinor, credited },
        },
  ];
};

const feeNews = ({ processorFee }: PaymentFacts, state: BegunPurchase, said: Said): readonly PurchaseEvent[] =>
  processorFee === null || state.feeLearned
    ? []
    : [{ type: 'ProcessorFeeLearned', data: { ...said, ...processorFee } }];

type Step = (state: BegunPurchase) => readonly PurchaseEvent[];

/** What is news in the facts, step by step, each on the state that the ones before it leave. */
export const learn = (command: LearnPayment, begun: BegunPurchase): readonly PurchaseEvent[] => {
  const { facts, at } = command.data;
  const said = { purchaseId: begun.purchaseId, userId: begun.userId, at };
  const whenPaid =
    (step: Step): Step =>
    (state) =>
      state.paidMinor > 0 ? step(state) : [];
  const steps: readonly Step[] = [
    (state) => invoiceNews(command, state, said),
    (state) => paymentNews(facts, state, said),
    whenPaid((state) => feeNews(facts, state, said)),
    ...facts.refunds.map((refund) => whenPaid((state) => refundNews(refund, state, said))),
    ...facts.disputes.map((dispute) => whenPaid((state) => disputeNews(dispute, state, said))),
  ];
  let state = begun;
  const events: PurchaseEvent[] = [];
  for (const step of steps) {
    const news = step(state);
    events.push(...news);
    state = news.reduce<BegunPurchase>((before, event) => {
      const after = evolvePurchase(before, event);
      return after.status === 'none' ? before : after;
    }, state);
  }
  return events;
};
