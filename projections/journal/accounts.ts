/** The accounts of the books, by number. Memo accounts hold promo credit, which is nobody's money. */
export const ACCOUNTS = {
  '1000': 'processor clearing',
  '1100': 'customer receivable',
  '1900': 'promo contra (memo)',
  '2000': 'customer credits, paid',
  '2010': 'customer credits, promo (memo)',
  '2100': 'customer credits on hold, paid',
  '2110': 'customer credits on hold, promo (memo)',
  '2200': 'tax payable',
  '2300': 'refunds payable',
  '2350': 'disputed funds',
  '2450': 'receipts in suspense',
  '4000': 'usage revenue',
  '4100': 'platform fee revenue',
  '4200': 'credits given up',
  '5100': 'processor fees',
  '5300': 'goodwill, bad debt, dispute loss',
} as const;

export type Account = keyof typeof ACCOUNTS;

/** One line of an entry, in micro-USD; one of the two sides is 0. What it is about stands beside it. */
export type Posting = Readonly<{
  account: Account;
  dr: bigint;
  cr: bigint;
  lotId?: string;
  purchaseId?: string;
  requestId?: string;
}>;

type About = Pick<Posting, 'lotId' | 'purchaseId' | 'requestId'>;

/** A line on the left side; a negative amount stands on the right one. */
export const debit = (account: Account, amount: bigint, about: About = {}): Posting =>
  amount < 0n ? { account, dr: 0n, cr: -amount, ...about } : { account, dr: amount, cr: 0n, ...about };

/** A line on the right side; a negative amount stands on the left one. */
export const credit = (account: Account, amount: bigint, about: About = {}): Posting => debit(account, -amount, about);
