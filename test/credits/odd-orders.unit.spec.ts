import { expect } from 'chai';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { totalsOf } from '../../commands/credits/credits.lots.ts';
import { accountPostings } from '../../projections/journal/account-postings.ts';
import type { CreditAccountEvent, SpendingLimits } from '../../src/events/credit-account/credit-account.events.ts';
import { given } from '../support/given.ts';
import {
  adjust,
  at,
  capture,
  clawBack,
  history,
  openAccount,
  outcome,
  purchase,
  release,
  reserve,
  stateOf,
} from './fixtures.ts';

const DAY = 86_400;

type Wanted = Readonly<{ wishId?: string }>;

const account = (...commands: readonly CreditCommand[]) => history(openAccount(0n), ...commands);

const writeOff = (seconds: number, wish: Wanted = {}): CreditCommand => ({
  type: 'WriteOffShortfall',
  key: `writeOff:${seconds}`,
  data: { ...wish, reasonCode: 'goodwill', at: at(seconds) },
});

const reversal = (clawbackId: string, seconds: number): CreditCommand => ({
  type: 'ReverseClawback',
  key: `reverse:${clawbackId}`,
  data: { clawbackId, at: at(seconds) },
});

const NONE: SpendingLimits = { daySoft: null, dayHard: null, monthSoft: null, monthHard: null, lowBalance: null };

const limits = (
  some: Partial<SpendingLimits>,
  { setBy = 'user', seconds = 2, ...wish }: Wanted & Readonly<{ setBy?: 'user' | 'admin'; seconds?: number }> = {},
): CreditCommand => ({
  type: 'SetSpendingLimits',
  key: `limits:${seconds}`,
  data: { ...wish, setBy, limits: { ...NONE, ...some }, at: at(seconds) },
});

const charged = (id: string, cost: bigint, seconds: number): readonly CreditCommand[] => [
  reserve(id, cost, seconds),
  capture(id, cost, seconds),
];

const settle = (id: string, seconds: number): CreditCommand => ({
  type: 'SettleAbandoned',
  key: `settle:${id}`,
  data: { reservationId: id, graceMs: 0, at: at(seconds) },
});

/** What stands in accounts of the books after these events: debits less credits. */
const standing = (events: readonly CreditAccountEvent[], account: string): bigint =>
  events.flatMap(accountPostings).reduce((sum, line) => (line.account === account ? sum + line.dr - line.cr : sum), 0n);

const count = (events: readonly CreditAccountEvent[], type: CreditAccountEvent['type']): number =>
  events.filter((event) => event.type === type).length;

describe('a dispute that is won after its debt was written off', () => {
  /** 9 USD of credit, of which 4 are used; the dispute takes 5 and leaves 4 owed. */
  const disputed = [
    purchase('p1', 1000),
    ...charged('r1', 4_000_000n, 2),
    clawBack('dp_1', 'p1', 9_000_000n, 4, 'dispute'),
  ];

  it('gives back what was taken, and not what we gave up', () => {
    const events = account(...disputed, writeOff(5), reversal('dp_1', 6));
    expect(totalsOf(stateOf(events))).to.include({ paid: '5000000', shortfall: '0' });
    expect(standing(events, '2350'), 'no dispute is open').to.equal(0n);
    expect(standing(events, '5300'), 'nothing was lost in the end').to.equal(0n);
  });

  it('gives all of it back where the debt was paid', () => {
    const events = account(...disputed, purchase('p2', 1000, 5), reversal('dp_1', 6));
    expect(totalsOf(stateOf(events))).to.include({ paid: '14000000', shortfall: '0' });
  });

  it('gives back what was paid of the debt before the rest was written off', () => {
    const events = account(...disputed, adjust('a1', 1_000_000n, 5), writeOff(6), reversal('dp_1', 7));
    expect(totalsOf(stateOf(events))).to.include({ paid: '6000000', shortfall: '0' });
    expect(standing(events, '2350')).to.equal(0n);
  });

  it('leaves the purchase as if it had never been disputed: a refund of it takes all there is', () => {
    const events = account(...disputed, writeOff(5), reversal('dp_1', 6), clawBack('re_1', 'p1', 9_000_000n, 7));
    expect(totalsOf(stateOf(events))).to.include({ paid: '0', shortfall: '4000000' });
  });
});

describe('a purchase that is both refunded and disputed', () => {
  it('is taken back once; what goes out twice is our loss, and no case stays open', () => {
    const refunded = [purchase('p1', 1000), clawBack('re_1', 'p1', 6_000_000n, 2)];
    const events = account(...refunded, clawBack('dp_1', 'p1', 9_000_000n, 3, 'dispute'));
    expect(totalsOf(stateOf(events))).to.include({ paid: '0', shortfall: '0' });
    expect([standing(events, '2300'), standing(events, '2350')]).to.deep.equal([-6_000_000n, -9_000_000n]);
    expect(standing(events, '5300')).to.equal(6_000_000n);
    const won = account(...refunded, clawBack('dp_1', 'p1', 9_000_000n, 3, 'dispute'), reversal('dp_1', 4));
    expect([standing(won, '2350'), standing(won, '5300')]).to.deep.equal([0n, 0n]);
    expect(totalsOf(stateOf(won)).paid).to.equal('3000000');
  });

  it('is known by all it says: the same name with another amount is refused', () => {
    const events = account(purchase('p1', 1000), clawBack('re_1', 'p1', 6_000_000n, 2));
    const refused = given(decider, ...events).when;
    refused(clawBack('re_1', 'p1', 5_000_000n, 3)).thenRefused('already_exists');
    refused(clawBack('re_1', 'p1', 6_000_000n, 3, 'dispute')).thenRefused('already_exists');
    refused(clawBack('re_1', 'p1', 6_000_000n, 3)).thenNothing();
  });
});

describe('a wish that is repeated late', () => {
  const owing = [purchase('p1', 222), reserve('r1', 2_000_000n, 2), capture('r1', 3_000_000n, 3)];

  it('writes off no debt that came later', () => {
    const wish = { wishId: 'w1' };
    const again = [purchase('p2', 222, 5), reserve('r2', 2_000_000n, 6), capture('r2', 3_000_000n, 7)];
    const events = account(...owing, writeOff(4, wish), ...again);
    expect(totalsOf(stateOf(events)).shortfall).to.equal('1000000');
    given(decider, ...events)
      .when(writeOff(8, wish))
      .thenNothing();
    const { data } = writeOff(8, wish);
    given(decider, ...events)
      .when({ type: 'WriteOffShortfall', key: 'w', data: { ...data, reasonCode: 'fraud' } })
      .thenRefused('already_exists');
  });

  it('is refused where nothing is owed, so that it is not taken for done', () => {
    given(decider, ...account(purchase('p1', 222)))
      .when(writeOff(4, { wishId: 'w1' }))
      .thenRefused('billing_conflict');
  });

  it('does not bring old limits back', () => {
    const events = account(
      limits({ dayHard: '5' }, { wishId: 'w1' }),
      limits({ dayHard: '7' }, { wishId: 'w2', seconds: 3 }),
    );
    const when = given(decider, ...events).when;
    when(limits({ dayHard: '5' }, { wishId: 'w1', seconds: 4 })).thenNothing();
    when(limits({ dayHard: '6' }, { wishId: 'w1', seconds: 4 })).thenRefused('already_exists');
    when(limits({ dayHard: '5' }, { wishId: 'w1', setBy: 'admin', seconds: 4 })).thenRefused('already_exists');
  });

  it('does not bring them back either where they were in force already when it came first', () => {
    const events = account(
      limits({ dayHard: '5' }),
      limits({ dayHard: '5' }, { wishId: 'w1', seconds: 3 }),
      limits({ dayHard: '7' }, { wishId: 'w2', seconds: 4 }),
    );
    given(decider, ...events)
      .when(limits({ dayHard: '5' }, { wishId: 'w1', seconds: 5 }))
      .thenNothing();
  });

  it('is the same wish for credit that lasts as long, whenever it is repeated', () => {
    const events = account(adjust('a1', 1_000_000n, 1, { bucket: 'promo' }));
    given(decider, ...events)
      .when(adjust('a1', 1_000_000n, 90, { bucket: 'promo' }))
      .thenNothing();
    const approved = { adjustmentId: 'a2', by: 'admin-2', at: at(20) };
    const later = account(adjust('a2', 3_000_000n, 1, { bucket: 'promo' }), {
      type: 'ApproveAdjustment',
      key: 'approve:a2',
      data: approved,
    });
    given(decider, ...later)
      .when(adjust('a2', 3_000_000n, 90, { bucket: 'promo' }))
      .thenNothing();
  });
});

describe('credit given by hand', () => {
  const grant = (grantId: string, amount: bigint, seconds = 1): CreditCommand => ({
    type: 'GrantPromo',
    key: `grant:${grantId}`,
    data: {
      grantId,
      amount,
      expiresAt: at(seconds + 600),
      reason: 'support',
      fourEyesAbove: 2_000_000n,
      at: at(seconds),
    },
  });

  it('needs a second administrator above the limit of a day, grants and adjustments together', () => {
    given(decider, ...account())
      .when(grant('g1', 2_000_001n))
      .thenRefused('invalid_argument');
    const some = account(grant('g1', 1_500_000n));
    const when = given(decider, ...some).when;
    when(grant('g2', 500_001n, 60)).thenRefused('invalid_argument');
    expect(decider.decide(adjust('a1', 500_001n, 60), stateOf(some))[0]?.type).to.equal('AdjustmentRequested');
    expect(decider.decide(grant('g2', 2_000_000n, DAY + 2), stateOf(some)).at(-1)?.type).to.equal(
      'PromoCreditsGranted',
    );
  });

  it('is not free credit of the sign-up', () => {
    expect(history(openAccount(3_000_000n), grant('g1', 2_000_000n)).at(-1)?.type).to.equal('PromoCreditsGranted');
  });

  it('is given once for its name, and refused with another amount', () => {
    const when = given(decider, ...account(grant('g1', 1n))).when;
    when(grant('g1', 1n, 9)).thenNothing();
    when(grant('g1', 2n, 9)).thenRefused('already_exists');
  });

  it('is not given by a slip of the pen, nor approved when its time is over', () => {
    given(decider, ...account())
      .when(adjust('a1', 1_000_000_000_001n))
      .thenRefused('invalid_argument');
    given(decider, ...account(adjust('a1', 3_000_000n, 1, { bucket: 'promo' })))
      .when({ type: 'ApproveAdjustment', key: 'approve', data: { adjustmentId: 'a1', by: 'admin-2', at: at(700) } })
      .thenRefused('invalid_argument');
  });

  it('is not approved by one administrator and rejected by another', () => {
    const asked = account(adjust('a1', 3_000_000n));
    const decision = (type: 'ApproveAdjustment' | 'RejectAdjustment', by: string): CreditCommand => ({
      type,
      key: `${type}:${by}`,
      data: { adjustmentId: 'a1', by, at: at(20) },
    });
    const approved = [...asked, ...decider.decide(decision('ApproveAdjustment', 'admin-2'), stateOf(asked))];
    const when = given(decider, ...approved).when;
    when(decision('ApproveAdjustment', 'admin-3')).thenNothing();
    when(decision('RejectAdjustment', 'admin-3')).thenRefused('billing_conflict');
  });
});

describe('limits of the user and of administrators in the same period', () => {
  it('are told of once each', () => {
    const events = account(
      purchase('p1', 5000),
      limits({ daySoft: '100000' }),
      limits({ daySoft: '200000' }, { setBy: 'admin', seconds: 3 }),
      ...charged('r1', 250_000n, 4),
      ...charged('r2', 1n, 5),
      ...charged('r3', 1n, 6),
    );
    expect(count(events, 'SpendingLimitReached')).to.equal(2);
    const nextDay = history(
      ...[openAccount(0n), purchase('p1', 5000), limits({ daySoft: '100000' })],
      ...charged('r1', 250_000n, 4),
      ...charged('r2', 250_000n, DAY + 4),
    );
    expect(count(nextDay, 'SpendingLimitReached')).to.equal(2);
  });

  it('bind what is put on a hold after they changed', () => {
    const events = account(purchase('p1', 5000), reserve('r1', 500_000n, 2), limits({ dayHard: '600000' }));
    given(decider, ...events)
      .when({
        type: 'ExtendReservation',
        key: 'extend',
        data: { reservationId: 'r1', add: 100_001n, leaseUntil: at(60), at: at(5) },
      })
      .thenRefused('spending_limit_exceeded');
  });
});

describe('a capture after its lease', () => {
  const expired = (...more: readonly CreditCommand[]) =>
    account(purchase('p1', 1000), reserve('r1', 1_000_000n, 2), settle('r1', 60), ...more);

  it('is taken within a day, and is our loss after it', () => {
    const when = given(decider, ...expired()).when;
    when(capture('r1', 900_000n, 61 + DAY)).thenNothing();
    const [late] = decider.decide(capture('r1', 900_000n, 60 + DAY), stateOf(expired()));
    expect(late?.data).to.include({ late: true });
    expect(late?.data.after.paid).to.equal('8100000');
  });

  it('is nothing after a capture, a release or the end of the account', () => {
    given(decider, ...expired(capture('r1', 900_000n, 61)))
      .when(capture('r1', 1_000_000n, 62))
      .thenNothing();
    given(decider, ...account(purchase('p1', 1000), reserve('r1', 1n, 2), release('r1', 3)))
      .when(capture('r1', 1_000_000n, 62))
      .thenNothing();
    const close: CreditCommand = {
      type: 'CloseAccount',
      key: 'close',
      data: { reason: 'erasure', paid: 'refund_paid', at: at(61) },
    };
    given(decider, ...expired(close))
      .when(capture('r1', 900_000n, 62))
      .thenNothing();
  });
});

describe('amounts at the edge', () => {
  it('of nothing are held, charged and released', () => {
    const events = account(reserve('r1', 0n, 2), capture('r1', 0n, 3), reserve('r2', 0n, 4), release('r2', 5));
    expect(totalsOf(stateOf(events))).to.deep.equal({ paid: '0', promo: '0', held: '0', shortfall: '0' });
  });

  it('far beyond what there is are owed up to a limit and written off to the micro-dollar', () => {
    const cost = 9_223_372_036_854_775_807n;
    const events = account(purchase('p1', 1000), reserve('r1', 9_000_000n, 2), {
      type: 'CaptureReservation',
      key: 'capture:r1',
      data: { reservationId: 'r1', outcome: outcome(cost), at: at(3) },
    });
    const captured = events.find(({ type }) => type === 'ReservationCaptured');
    expect(captured?.data).to.include({ shortfall: '2000000', writtenOff: (cost - 11_000_000n).toString() });
    expect(totalsOf(stateOf(events))).to.include({ paid: '0', held: '0', shortfall: '2000000' });
  });
});

describe('a block that was lifted', () => {
  const word = (
    type: 'BlockSpending' | 'UnblockSpending',
    reason: 'fraud' | 'dispute',
    seconds: number,
  ): CreditCommand => ({
    type,
    key: `${type}:${reason}`,
    data: { reason, ref: 'case-1', at: at(seconds) },
  });

  it('is not given again by the same name as if it had worked', () => {
    const lifted = account(word('BlockSpending', 'fraud', 1), word('UnblockSpending', 'fraud', 2));
    given(decider, ...lifted)
      .when(word('BlockSpending', 'fraud', 3))
      .thenRefused('already_exists');
  });
});
