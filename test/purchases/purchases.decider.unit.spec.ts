import { expect } from 'chai';
import { centsOf, priced } from '../../commands/purchases/fee-tiers.ts';
import type { LearnPayment, PurchaseCommand } from '../../commands/purchases/purchases.commands.ts';
import { purchaseDecider } from '../../commands/purchases/purchases.decider.ts';
import type { PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { PaymentFacts } from '../../src/kernel/payments.ts';
import { given } from '../support/given.ts';
import { usualPurchasePolicy } from '../support/usual-policy.ts';

const at = '2026-03-01T10:00:00.000Z';
const purchaseId = '7b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const userId = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const said = { purchaseId, userId, at };

const initiate = (grossMinor: number): PurchaseCommand => ({
  type: 'InitiatePurchase',
  key: 'initiate',
  data: { ...said, kind: 'checkout', grossMinor, policy: usualPurchasePolicy, triggerId: null, consent: null },
});

const initiated: PurchaseEvent = {
  type: 'PurchaseInitiated',
  data: {
    ...said,
    kind: 'checkout',
    grossMinor: 1000,
    feeMinor: 200,
    creditMinor: 800,
    currency: 'usd',
    tierLabel: 'STARTER',
    feeRateBps: 2000,
    policyVersion: usualPurchasePolicy.version,
    triggerId: null,
  },
};

const FACTS: PaymentFacts = {
  purchaseId,
  status: 'succeeded',
  closed: null,
  sessionId: 'cs_1',
  paymentIntentId: 'pi_1',
  chargeId: 'ch_1',
  methodType: 'card',
  currency: 'usd',
  amountMinor: 1190,
  taxMinor: 190,
  taxCountry: 'DE',
  failure: null,
  processorFee: null,
  invoice: null,
  refunds: [],
  disputes: [],
};

const learn = (facts: Partial<PaymentFacts> = {}): LearnPayment => ({
  type: 'LearnPayment',
  key: 'learn',
  data: { facts: { ...FACTS, ...facts }, pdfUrl: null, at },
});

const succeeded: PurchaseEvent = {
  type: 'PaymentSucceeded',
  data: {
    ...said,
    paymentIntentId: 'pi_1',
    chargeId: 'ch_1',
    invoiceId: null,
    amountMinor: 1190,
    taxMinor: 190,
    currency: 'usd',
    taxCountry: 'DE',
  },
};
const fulfilled: PurchaseEvent = { type: 'PurchaseFulfilled', data: { ...said, credit: '8000000' } };
const bought = [initiated, succeeded, fulfilled];
const refund = (amountMinor: number, refundId = 're_1', status: 'succeeded' | 'failed' = 'succeeded') => ({
  refundId,
  amountMinor,
  status,
});

describe('the price of a purchase', () => {
  it('is the fee of its tier, rounded half up to the cent, and the rest is credit', () => {
    expect(priced(usualPurchasePolicy, 1000)).to.include({ feeMinor: 200, creditMinor: 800 });
    expect(priced(usualPurchasePolicy, 1199)).to.include({ feeMinor: 240, creditMinor: 959 });
    expect(priced(usualPurchasePolicy, 1200)).to.include({ feeMinor: 120, creditMinor: 1080 });
    expect(priced(usualPurchasePolicy, 1205)).to.include({ feeMinor: 121, creditMinor: 1084 });
    expect(priced(usualPurchasePolicy, 9900)).to.include({ feeMinor: 495, creditMinor: 9405 });
  });

  it('is in whole cents of positive amounts', () => {
    expect([0.29, 20, 19.9, 1.1, 1000, 1e9].map(centsOf)).to.deep.equal([
      29, 2000, 1990, 110, 100_000, 100_000_000_000,
    ]);
    for (const amount of [0, -1, 0.001, 20.005, Number.NaN, Infinity, 1e21]) {
      expect(() => centsOf(amount), String(amount))
        .to.throw()
        .that.satisfies(isDomainError);
    }
  });

  it('exists between the least and the most', () => {
    given(purchaseDecider).when(initiate(299)).thenRefused('invalid_argument');
    given(purchaseDecider).when(initiate(100_001)).thenRefused('invalid_argument');
    given(purchaseDecider)
      .when(initiate(300))
      .thenEvents({
        ...initiated,
        data: { ...initiated.data, grossMinor: 300, feeMinor: 60, creditMinor: 240 },
      });
  });
});

describe('a purchase', () => {
  it('is begun once, and not with two amounts', () => {
    given(purchaseDecider, initiated).when(initiate(1000)).thenNothing();
    given(purchaseDecider, initiated).when(initiate(2000)).thenRefused('already_exists');
  });

  it('is paid by its gross and the tax on top', () => {
    given(purchaseDecider, initiated).when(learn()).thenEvents(succeeded);
    given(purchaseDecider, ...bought)
      .when(learn())
      .thenNothing();
  });

  it('is not credited for another amount or another currency', () => {
    const mismatch = { ...said, expectedMinor: 1190, seenMinor: 1000, seenCurrency: 'usd', what: 'amount' as const };
    given(purchaseDecider, initiated)
      .when(learn({ amountMinor: 1000 }))
      .thenEvents(
        { ...succeeded, data: { ...succeeded.data, amountMinor: 1000 } },
        {
          type: 'PurchaseMismatchDetected',
          data: mismatch,
        },
      );
    given(purchaseDecider, initiated)
      .when(learn({ currency: 'eur' }))
      .thenEvents({
        type: 'PurchaseMismatchDetected',
        data: { ...mismatch, what: 'currency', expectedMinor: 1000, seenMinor: 1190, seenCurrency: 'eur' },
      });
  });

  it('waits for money that is on its way', () => {
    const pending: PurchaseEvent = {
      type: 'PaymentPending',
      data: { ...said, paymentIntentId: 'pi_1', chargeId: 'ch_1', methodType: 'sepa_debit' },
    };
    const facts = { status: 'pending' as const, methodType: 'sepa_debit' };
    given(purchaseDecider, initiated).when(learn(facts)).thenEvents(pending);
    given(purchaseDecider, initiated, pending).when(learn(facts)).thenNothing();
    given(purchaseDecider, initiated, pending).when(learn()).thenEvents(succeeded);
    given(purchaseDecider, ...bought)
      .when(learn(facts))
      .thenNothing();
  });

  it('goes by the newest attempt to pay, whatever an old look says', () => {
    const declined = { code: 'card_declined', declineCode: null, needsAction: false };
    const noMoney = { ...declined, code: 'insufficient_funds' };
    const card = { status: 'failed' as const, chargeId: 'ch_1', failure: declined };
    const debit = { status: 'pending' as const, chargeId: 'ch_2', methodType: 'sepa_debit' };
    const bankSaysNo = { status: 'failed' as const, chargeId: 'ch_2', failure: noMoney };
    const attempts = [card, debit, bankSaysNo];
    const history: PurchaseEvent[] = [initiated];
    attempts.forEach((facts, index) => {
      const news = purchaseDecider.decide(learn(facts), given(purchaseDecider, ...history).state);
      expect(news.map(({ type }) => type)).to.deep.equal([index === 1 ? 'PaymentPending' : 'PaymentFailed']);
      history.push(...news);
      for (const old of attempts.slice(0, index + 1))
        given(purchaseDecider, ...history)
          .when(learn(old))
          .thenNothing();
    });
  });

  it('is credited only when it is paid', () => {
    const fulfil: PurchaseCommand = { type: 'FulfilPurchase', key: 'fulfil', data: { at } };
    given(purchaseDecider, initiated).when(fulfil).thenRefused('billing_conflict');
    given(purchaseDecider, initiated, succeeded).when(fulfil).thenEvents(fulfilled);
    given(purchaseDecider, ...bought)
      .when(fulfil)
      .thenNothing();
  });

  it('waits to be given back when its account was closed while the money was on its way', () => {
    const leave: PurchaseCommand = { type: 'LeaveUncredited', key: 'leave', data: { at } };
    given(purchaseDecider, initiated).when(leave).thenNothing();
    given(purchaseDecider, ...bought)
      .when(leave)
      .thenNothing();
    const after = given(purchaseDecider, initiated, succeeded)
      .when(leave)
      .thenEvents({
        type: 'PurchaseMismatchDetected',
        data: {
          ...said,
          what: 'account',
          expectedMinor: 0,
          seenMinor: succeeded.data.amountMinor,
          seenCurrency: 'usd',
        },
      });
    expect(purchaseDecider.decide(leave, after)).to.deep.equal([]);
  });

  it('is closed when nobody can pay it any more, and paid all the same when somebody had', () => {
    const closed: PurchaseEvent = { type: 'PurchaseClosedUnpaid', data: { ...said, reason: 'expired' } };
    given(purchaseDecider, initiated)
      .when(learn({ status: 'open', closed: 'expired' }))
      .thenEvents(closed);
    given(purchaseDecider, initiated, closed)
      .when(learn({ status: 'open', closed: 'expired' }))
      .thenNothing();
    given(purchaseDecider, initiated, closed).when(learn()).thenEvents(succeeded);
  });

  it('is given back in parts of tax, fee and credit that add up to the cent', () => {
    const first = given(purchaseDecider, ...bought).when(learn({ refunds: [refund(397)] }));
    const half: PurchaseEvent = {
      type: 'RefundRecorded',
      data: {
        ...said,
        refundId: 're_1',
        amountMinor: 397,
        taxMinor: 63,
        feePartMinor: 67,
        creditPart: '2670000',
        credited: true,
      },
    };
    first.thenEvents(half);
    given(purchaseDecider, ...bought, half)
      .when(learn({ refunds: [refund(397), refund(793, 're_2')] }))
      .thenEvents({
        type: 'RefundRecorded',
        data: {
          ...said,
          refundId: 're_2',
          amountMinor: 793,
          taxMinor: 127,
          feePartMinor: 133,
          creditPart: '5330000',
          credited: true,
        },
      });
  });

  it('is not given back twice, and not more than was paid', () => {
    const state = given(purchaseDecider, ...bought).when(learn({ refunds: [refund(2000)] }));
    state.thenEvents({
      type: 'PurchaseMismatchDetected',
      data: { ...said, what: 'refund', expectedMinor: 1190, seenMinor: 2000, seenCurrency: 'usd' },
    });
  });

  it('is disputed, and the dispute ends once', () => {
    const dispute = { disputeId: 'du_1', amountMinor: 1190, reason: 'fraudulent', feeMinor: 1500 };
    const opened: PurchaseEvent = {
      type: 'DisputeOpened',
      data: { ...said, disputeId: 'du_1', amountMinor: 1190, reason: 'fraudulent', creditPart: '8000000' },
    };
    const won: PurchaseEvent = { type: 'DisputeWon', data: { ...said, disputeId: 'du_1', amountMinor: 1190 } };
    given(purchaseDecider, ...bought)
      .when(learn({ disputes: [{ ...dispute, status: 'open' }] }))
      .thenEvents(opened);
    given(purchaseDecider, ...bought)
      .when(learn({ disputes: [{ ...dispute, status: 'won' }] }))
      .thenEvents(opened, won);
    given(purchaseDecider, ...bought, opened, won)
      .when(learn({ disputes: [{ ...dispute, status: 'open' }] }))
      .thenNothing();
  });
});
