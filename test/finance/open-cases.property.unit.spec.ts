import { expect } from 'chai';
import fc from 'fast-check';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { creditingOf } from '../../commands/purchases/crediting.ts';
import { purchaseAggregate } from '../../commands/purchases/index.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { openCases } from '../../src/finance/open-cases.ts';
import { replayedBooks } from '../../src/finance/replayed-books.ts';
import { entriesOf } from '../../src/finance/trial-balance.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { EventStore, StoredEvent } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { PaymentFacts } from '../../src/kernel/payments.ts';
import { checked } from '../credits/account-invariants.ts';
import { adjust, at, capture, openAccount, reserve, T0, USER } from '../credits/fixtures.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { runs } from '../support/runs.ts';
import { usualPurchasePolicy } from '../support/usual-policy.ts';

const PURCHASES = ['p1', 'p2', 'p3'] as const;
const NOW = { kind: 'now', at: new Date() } as const;

type Name = (typeof PURCHASES)[number];

/** What happens at the payment provider, or in the account beside it. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constantFrom('pay' as const, 'refund' as const, 'fail' as const, 'dispute' as const, 'end' as const),
      purchase: fc.constantFrom(...PURCHASES),
      /** Of what is there, in hundredths. */
      share: fc.integer({ min: 1, max: 100 }),
      won: fc.boolean(),
      /** The provider has more than is to be paid. */
      wrong: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: 'close' as const, amount: 0n }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom('use' as const, 'hold' as const, 'writeOff' as const, 'give' as const, 'take' as const),
      amount: fc.bigInt({ min: 1n, max: 9_000_000n }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Paying = Extract<Step, { purchase: Name }>;

const GROSS = 1_000;
const TAX = 190;

const unpaid = (purchaseId: Name): PaymentFacts => ({
  purchaseId,
  status: 'open',
  closed: null,
  sessionId: `cs_${purchaseId}`,
  paymentIntentId: null,
  chargeId: null,
  methodType: 'card',
  currency: 'usd',
  amountMinor: GROSS + TAX,
  taxMinor: TAX,
  taxCountry: 'DE',
  failure: null,
  processorFee: null,
  invoice: null,
  refunds: [],
  disputes: [],
});

const paid = (facts: PaymentFacts, wrong: boolean): PaymentFacts => ({
  ...facts,
  status: 'succeeded',
  paymentIntentId: `pi_${facts.purchaseId}`,
  chargeId: `ch_${facts.purchaseId}`,
  amountMinor: facts.amountMinor + (wrong ? 1 : 0),
  processorFee: { balanceTxnId: `txn_${facts.purchaseId}`, feeMinor: 65, netMinor: 1_125, availableOn: T0 },
});

const refunded = (facts: PaymentFacts, share: number): PaymentFacts => {
  const left = facts.refunds.reduce(
    (sum, refund) => (refund.status === 'failed' ? sum : sum - refund.amountMinor),
    facts.amountMinor,
  );
  const amountMinor = Math.ceil((left * share) / 100);
  if (amountMinor === 0) return facts;
  const refundId = `re_${facts.purchaseId}_${facts.refunds.length}`;
  return { ...facts, refunds: [...facts.refunds, { refundId, amountMinor, status: 'succeeded' }] };
};

/** What the provider knows after something happened there. A payment that is not made can be made and nothing else. */
const after = (facts: PaymentFacts, { what, share, won, wrong }: Paying): PaymentFacts => {
  if (facts.status !== 'succeeded') return what === 'pay' ? paid(facts, wrong) : facts;
  const { disputes } = facts;
  const open = disputes.some(({ status }) => status === 'open');
  switch (what) {
    case 'refund':
      return refunded(facts, share);
    case 'fail':
      return {
        ...facts,
        refunds: facts.refunds.map((refund, n) => (n === 0 ? { ...refund, status: 'failed' } : refund)),
      };
    case 'dispute': {
      if (disputes.length > 0) return facts;
      const disputeId = `dp_${facts.purchaseId}`;
      const amountMinor = facts.amountMinor;
      return {
        ...facts,
        disputes: [{ disputeId, amountMinor, reason: 'fraudulent', status: 'open', feeMinor: 1_500 }],
      };
    }
    case 'end':
      return open
        ? { ...facts, disputes: disputes.map((dispute) => ({ ...dispute, status: won ? 'won' : 'lost' })) }
        : facts;
    default:
      return facts;
  }
};

/** What the provider should have in cash for us, in cents, by what it knows. */
const cashOf = (facts: PaymentFacts): number => {
  if (facts.status !== 'succeeded') return 0;
  const back = facts.refunds.reduce((sum, refund) => (refund.status === 'failed' ? sum : sum + refund.amountMinor), 0);
  const disputed = facts.disputes.reduce((sum, { status, amountMinor, feeMinor }) => {
    if (status === 'won') return sum;
    return sum + amountMinor + (status === 'lost' ? feeMinor : 0);
  }, 0);
  return facts.amountMinor - back - disputed - (facts.processorFee?.feeMinor ?? 0);
};

/** What waits in suspense of a payment that never became credit, in cents. */
const waitingOf = (facts: PaymentFacts): number => {
  if (facts.status !== 'succeeded') return 0;
  const lost = facts.disputes.some(({ status }) => status === 'lost') ? 1_500 : 0;
  return cashOf(facts) + (facts.processorFee?.feeMinor ?? 0) + lost;
};

const byPurchase = (a: Readonly<{ purchaseId: string }>, b: Readonly<{ purchaseId: string }>): number =>
  a.purchaseId < b.purchaseId ? -1 : 1;

/** The write side of purchases and accounts over one log. */
const world = async () => {
  const store = memoryEventStore();
  const deps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const purchases = commandHandler(purchaseAggregate, deps);
  const credits = commandHandler(creditAccount, deps);
  let now = 0;
  const clock = (): Date => new Date(at(now));
  const credit = creditingOf({ purchases, credits, clock });
  const cause = (): Cause => ({
    at: at(now),
    correlationId: 'c',
    causationId: `c${now}`,
    actor: { kind: 'user', id: USER },
  });
  const send = async (command: CreditCommand): Promise<void> => {
    try {
      await credits.handle(USER, command, cause());
    } catch (error) {
      if (!isDomainError(error)) throw error;
    }
  };
  await send(openAccount(1_000_000n));
  for (const purchaseId of PURCHASES) {
    const data = {
      ...{ purchaseId, userId: USER, kind: 'checkout' as const, grossMinor: GROSS, policy: usualPurchasePolicy },
      ...{ triggerId: null, consent: null, at: T0 },
    };
    await purchases.handle(purchaseId, { type: 'InitiatePurchase', key: 'initiate', data }, cause());
  }
  return {
    store,
    send,
    tick: (): number => (now += 1),
    look: async (facts: PaymentFacts): Promise<void> => {
      const data = { facts, pdfUrl: null, at: at(now) };
      const { state } = await purchases.handle(
        facts.purchaseId,
        { type: 'LearnPayment', key: `learn:${now}`, data },
        cause(),
      );
      if (state.status !== 'none') await credit(state, cause());
    },
  };
};

const commandsOf = ({ what, amount }: Exclude<Step, Paying>, now: number): readonly CreditCommand[] => {
  switch (what) {
    case 'use':
      return [reserve(`r${now}`, amount, now), capture(`r${now}`, amount + 500_000n, now)];
    case 'hold':
      return [reserve(`h${now % 4}`, amount, now), capture(`h${(now + 1) % 4}`, amount, now)];
    case 'writeOff':
      return [
        { type: 'WriteOffShortfall', key: 'w', data: { wishId: `w${now}`, reasonCode: 'goodwill', at: at(now) } },
      ];
    case 'close':
      return [{ type: 'CloseAccount', key: 'close', data: { reason: 'erasure', paid: 'refund_paid', at: at(now) } }];
    default:
      return [adjust(`a${now}`, what === 'give' ? amount / 10n : -amount / 10n, now)];
  }
};

const accountEvents = (events: readonly StoredEvent[]): readonly CreditAccountEvent[] =>
  events
    .filter(({ stream }) => stream.startsWith('creditAccount-'))
    .map(({ type, data }) => ({ type, data }) as CreditAccountEvent);

const found = async (store: EventStore) => {
  const cases = openCases();
  for await (const booked of entriesOf(store, NOW)) cases.take(booked);
  return cases.report();
};

/** Every dispute has ended, so that no case is left but payments that are not what was to be paid. */
const ended = (facts: PaymentFacts): PaymentFacts => after(facts, { what: 'end', won: false } as Paying);

describe('the books of purchases, whatever goes back and in whatever order', () => {
  it('have the cash that the provider has, balance after every event, and leave no case open that is none', async function () {
    this.timeout(600_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }), async (steps) => {
        const { store, send, tick, look } = await world();
        const facts = new Map(PURCHASES.map((name) => [name, unpaid(name)]));
        for (const next of steps) {
          const now = tick();
          if ('purchase' in next) {
            const known = after(facts.get(next.purchase)!, next);
            facts.set(next.purchase, known);
            await look(known);
          } else {
            for (const command of commandsOf(next, now)) await send(command);
          }
        }
        for (const known of facts.values()) {
          tick();
          await look(ended(known));
          // A late notice of what is known already.
          await look(ended(known));
        }
        const said = accountEvents(store.log());
        const credited = new Set(
          said.flatMap((event) => (event.type === 'CreditsPurchased' ? [event.data.purchaseId] : [])),
        );
        said.reduce((state, event) => checked(state, [event], { whole: false }), decider.initial);

        const books = await replayedBooks(store, NOW);
        expect(books).to.deep.include({ balanced: true, unbalanced: [], discrepancies: [] });
        const cash = [...facts.values()].reduce((sum, known) => sum + cashOf(ended(known)), 0);
        const clearing = books.accounts.find(({ account }) => account === '1000')?.balanceUsd ?? '0';
        expect(Math.round(Number(clearing) * 100), 'cash at the provider').to.equal(cash);

        const uncredited = [...facts.values()].map(ended).filter((known) => !credited.has(known.purchaseId));
        const waiting = uncredited
          .map((known) => ({ purchaseId: known.purchaseId, account: '2450', cents: -waitingOf(known) }))
          .filter(({ cents }) => cents !== 0);
        const open = (await found(store)).map(({ purchaseId, account, balanceUsd }) => ({
          ...{ purchaseId, account },
          cents: Math.round(Number(balanceUsd) * 100),
        }));
        expect(open.toSorted(byPurchase), 'open cases').to.deep.equal(waiting.toSorted(byPurchase));
      }),
      { numRuns: runs(150) },
    );
  });
});
