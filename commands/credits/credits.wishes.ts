import type { ShortfallWrittenOff, SpendingLimitsSet } from '../../src/events/credit-account/credit-account.events.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { OpenAccountState, Wish } from './credits.state.ts';

/** So many wishes are remembered: one is repeated soon or not at all. */
const REMEMBERED = 100;

/** What makes two wishes for limits the same wish. */
export const limitsWish = ({ setBy, limits }: Pick<SpendingLimitsSet['data'], 'setBy' | 'limits'>): string => {
  const { daySoft, dayHard, monthSoft, monthHard, lowBalance } = limits;
  return ['limits', setBy, daySoft, dayHard, monthSoft, monthHard, lowBalance].map((one) => one ?? '-').join('|');
};

/** What makes two wishes for a write-off the same wish; not what happens to be owed. */
export const writeOffWish = ({ reasonCode }: Pick<ShortfallWrittenOff['data'], 'reasonCode'>): string =>
  `write-off|${reasonCode}`;

/** The wishes with one more, unless it is known or has no name. */
export const withWish = (wishes: readonly Wish[], wishId: string | undefined, content: string): readonly Wish[] =>
  wishId === undefined || wishes.some((one) => one.wishId === wishId)
    ? wishes
    : [...wishes.slice(1 - REMEMBERED), { wishId, content }];

/** True when the wish was fulfilled already. Throws already_exists when its name stands for something else. */
export const isFulfilled = (
  { wishes }: Pick<OpenAccountState, 'wishes'>,
  wishId: string | undefined,
  content: string,
): boolean => {
  const known = wishes.find((one) => one.wishId === wishId);
  if (known === undefined || known.content === content) return known !== undefined;
  throw new DomainError('already_exists', 'this key was used for something else; use a new one');
};
