import { ACCOUNTS, type Account } from '../../projections/journal/accounts.ts';
import { usdText } from '../kernel/money.ts';
import type { Booked } from './trial-balance.ts';

/** Accounts that are empty but for what is not done with: refunds on their way, disputes, receipts without credit. */
const WAITING: readonly Account[] = ['2300', '2350', '2450'];

/** What one purchase has in one of these accounts. The balance is debits less credits, in USD. */
export type OpenCase = Readonly<{
  purchaseId: string;
  userId: string;
  account: Account;
  name: string;
  balanceUsd: string;
  /** When it was last changed. */
  since: string;
}>;

type Standing = Readonly<{ userId: string; balance: bigint; since: string }>;

/** Finds the purchases that stand in accounts of open cases, entry by entry. */
export const openCases = () => {
  const standing = new Map<string, Standing>();
  return {
    /** Takes the next entry of the log. */
    take: ({ entry: { userId, at, postings } }: Booked): void => {
      for (const { account, dr, cr, purchaseId = '' } of postings) {
        if (!WAITING.includes(account)) continue;
        const key = `${account}|${purchaseId}`;
        standing.set(key, { userId, balance: (standing.get(key)?.balance ?? 0n) + dr - cr, since: at });
      }
    },
    /** What is open so far, by account and the oldest first. */
    report: (): readonly OpenCase[] =>
      [...standing]
        .filter(([, { balance }]) => balance !== 0n)
        .map(([key, { userId, balance, since }]) => {
          const [account, purchaseId] = key.split('|') as [Account, string];
          return { purchaseId, userId, account, name: ACCOUNTS[account], balanceUsd: usdText(balance), since };
        })
        .sort((a, b) => (`${a.account}${a.since}` < `${b.account}${b.since}` ? -1 : 1)),
  };
};
