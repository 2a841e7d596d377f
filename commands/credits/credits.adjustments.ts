import { DomainError } from '../../src/kernel/errors.ts';
import { notAfter } from '../../src/kernel/clock.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf, microText, usdText, type MicroUsd } from '../../src/kernel/money.ts';
import { mustBeInUse, type Draft } from './credits.drafts.ts';
import { doneAlone } from './credits.four-eyes.ts';
import { contentOf } from './credits.funding-evolve.ts';
import { refuseOther } from './credits.funding.ts';
import { allocate, allocationOf, freeIn } from './credits.lots.ts';
import type { Adjustment, CreditAccount, OpenAccountState } from './credits.state.ts';
import type { AdjustCredits, ApproveAdjustment, RejectAdjustment } from './funding.commands.ts';

/** More than this is a slip of the pen: a million USD. */
const MOST: MicroUsd = 1_000_000_000_000n;
/** So many wait for a second administrator at most. */
const MOST_WAITING = 20;

type Wish = NonNullable<Adjustment['waiting']>;

const wishOf = ({ data }: AdjustCredits): Wish => {
  const { adjustmentId, amount, bucket, expiresAt, reasonCode, note, noteDigest, by } = data;
  const ends = expiresAt === undefined ? {} : { expiresAt };
  return { adjustmentId, amount: microText(amount), bucket, reasonCode, note, noteDigest, requestedBy: by, ...ends };
};

/** What the wish comes to now. Refuses to take more than is free in the bucket. */
const applied = (account: OpenAccountState, wish: Wish, at: IsoTime): Draft => {
  const amount = microOf(wish.amount);
  if (amount > 0n && wish.expiresAt !== undefined && notAfter(wish.expiresAt, at)) {
    throw new DomainError('invalid_argument', 'the time of this credit is over; reject it and ask for it again');
  }
  if (amount > 0n) return { type: 'CreditsAdjusted', data: { ...wish, lotId: wish.adjustmentId, taken: [], at } };
  const lots = account.lots.filter(({ kind }) => kind === wish.bucket);
  const free = freeIn(lots, at);
  if (-amount > free) {
    throw new DomainError(
      'invalid_argument',
      `${usdText(-amount)} USD cannot be taken: ${usdText(free)} USD of ${wish.bucket} credit are free`,
      { details: { freeUsd: usdText(free) } },
    );
  }
  const taken = allocationOf(allocate(lots, -amount, at));
  return { type: 'CreditsAdjusted', data: { ...wish, lotId: null, taken, at } };
};

const size = (amount: MicroUsd): MicroUsd => (amount < 0n ? -amount : amount);

const mustMakeSense = ({ amount, bucket, expiresAt, at }: AdjustCredits['data']): void => {
  if (amount === 0n) throw new DomainError('invalid_argument', 'an adjustment of nothing changes nothing');
  if (size(amount) > MOST)
    throw new DomainError('invalid_argument', `at most ${usdText(MOST)} USD can be adjusted at once`);
  if (bucket !== 'promo' || amount < 0n) return;
  if (expiresAt === undefined || expiresAt <= at) {
    throw new DomainError('invalid_argument', 'promo credit that is given ends in the future');
  }
};

/** An adjustment, or the wish for one that a second administrator must approve. */
export const adjust = (command: AdjustCredits, state: CreditAccount): readonly Draft[] => {
  const account = mustBeInUse(state);
  const { adjustmentId, amount, fourEyesAbove, at } = command.data;
  const wish = wishOf(command);
  const known = account.adjustments.find((one) => one.adjustmentId === adjustmentId);
  if (known !== undefined) {
    if (known.rejected) throw new DomainError('billing_conflict', 'this adjustment was rejected');
    return refuseOther(known.content === contentOf({ ...wish, at }), 'this adjustment');
  }
  mustMakeSense(command.data);
  const draft = applied(account, wish, at);
  if (size(amount) + doneAlone(account, at) <= fourEyesAbove) return [draft];
  if (account.adjustments.filter(({ waiting }) => waiting !== null).length >= MOST_WAITING) {
    throw new DomainError(
      'billing_conflict',
      `${MOST_WAITING} adjustments of this account wait for an approval already`,
    );
  }
  return [{ type: 'AdjustmentRequested', data: { ...wish, at } }];
};

const mustBeKnown = (account: OpenAccountState, adjustmentId: string): Adjustment => {
  const known = account.adjustments.find((one) => one.adjustmentId === adjustmentId);
  if (known !== undefined) return known;
  throw new DomainError('not_found', 'no such adjustment', { details: { adjustmentId } });
};

/** Somebody else than the one who asked approves. Says nothing when it was done already. Throws billing_conflict when it was rejected. */
export const approve = ({ data }: ApproveAdjustment, state: CreditAccount): readonly Draft[] => {
  const account = mustBeInUse(state);
  const { adjustmentId, by, at } = data;
  const { waiting, rejected } = mustBeKnown(account, adjustmentId);
  if (rejected) throw new DomainError('billing_conflict', 'this adjustment was rejected');
  if (waiting === null) return [];
  if (waiting.requestedBy === by) {
    throw new DomainError('forbidden', 'an adjustment is approved by another administrator than the one who asked');
  }
  const draft = applied(account, waiting, at);
  return [{ ...draft, data: { ...draft.data, approvedBy: by } } as Draft];
};

/** The wish is gone. Says nothing when it was rejected already; throws billing_conflict when it was made. */
export const reject = ({ data }: RejectAdjustment, state: CreditAccount): readonly Draft[] => {
  const account = mustBeInUse(state);
  const { adjustmentId, by, at } = data;
  const { waiting, rejected } = mustBeKnown(account, adjustmentId);
  if (waiting === null && !rejected) throw new DomainError('billing_conflict', 'this adjustment was made already');
  return rejected ? [] : [{ type: 'AdjustmentRejected', data: { adjustmentId, rejectedBy: by, at } }];
};
