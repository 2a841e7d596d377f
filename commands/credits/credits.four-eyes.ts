import { isoAfter } from '../../src/kernel/clock.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { Lot, OpenAccountState } from './credits.state.ts';

/** For how long adjustments and grants without a second administrator add up. */
const TOGETHER_MS = 24 * 60 * 60 * 1000;

/** The lot of the credit that came with the account. */
export const signupLotOf = (userId: string): string => uuidOf(`signup:${userId}`);

/** Free credit that an administrator gave alone; adjustments are remembered with their own size. */
const isGrant = ({ userId, adjustments }: OpenAccountState, { lotId, kind, purchase }: Lot): boolean =>
  kind === 'promo' &&
  purchase === null &&
  lotId !== signupLotOf(userId) &&
  !adjustments.some(({ adjustmentId }) => adjustmentId === lotId);

/** What was given and taken by hand without a second administrator within the last day, all sizes together. */
export const doneAlone = (account: OpenAccountState, at: IsoTime): MicroUsd => {
  const since = isoAfter(at, -TOGETHER_MS);
  const adjusted = account.adjustments.reduce((sum, one) => (one.at >= since ? sum + one.m : sum), 0n);
  return account.lots
    .filter((lot) => lot.since >= since && isGrant(account, lot))
    .reduce((sum, { given }) => sum + given, adjusted);
};
