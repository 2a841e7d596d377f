import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditAccountEvent, Totals } from '../events/credit-account/credit-account.events.ts';
import { streamOf } from '../kernel/aggregate.ts';
import type { EventStore } from '../kernel/event-store.ts';
import { microOf, usdText } from '../kernel/money.ts';
import { upcast } from '../kernel/upcasting.ts';

/** Something that changed what a user has. Amounts in USD. */
export type StatementLine = Readonly<{
  at: string;
  event: string;
  revision: string;
  changeUsd: string;
  /** What it is about: the request, purchase, refund, dispute, adjustment or grant; empty: the account. */
  about: string;
  balanceUsd: string;
}>;

/** A month of an account, or all of it. The balance is lots and holds less what is owed. */
export type Statement = Readonly<{
  userId: string;
  period: string | null;
  openingUsd: string;
  closingUsd: string;
  lines: readonly StatementLine[];
}>;

const owned = ({ paid, promo, held, shortfall }: Totals): bigint =>
  microOf(paid) + microOf(promo) + microOf(held) - microOf(shortfall);

/** The first of these names that an event has says what it is about. */
const NAMES = ['reservationId', 'clawbackId', 'purchaseId', 'adjustmentId', 'grantId', 'ref', 'shortfallId', 'lotId'];

const aboutOf = (data: object): string => {
  const named: Readonly<Record<string, unknown>> = { ...data };
  const found = NAMES.map((name) => named[name]).find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : '';
};

/** What happened to a user's credit in a month (`2026-01`, by booking), or ever; undefined: there is no account. */
export const statementOf = async (
  store: Pick<EventStore, 'read'>,
  userId: string,
  period?: string,
): Promise<Statement | undefined> => {
  const stored = await store.read(streamOf(creditAccount, userId));
  if (stored.length === 0) return undefined;
  let balance = 0n;
  let opening: bigint | undefined;
  let closing = 0n;
  const lines: StatementLine[] = [];
  for (const event of stored) {
    const { type, data } = upcast(creditAccount.upcasters, event) as CreditAccountEvent;
    const before = balance;
    balance = owned(data.after);
    const booked = data.bookedIn ?? data.at.slice(0, 7);
    if (period !== undefined && booked !== period) {
      if (booked < period) closing = balance;
      continue;
    }
    opening ??= before;
    closing = balance;
    if (balance === before) continue;
    const amounts = { changeUsd: usdText(balance - before), balanceUsd: usdText(balance) };
    lines.push({ at: data.at, event: type, revision: event.revision.toString(), ...amounts, about: aboutOf(data) });
  }
  const ends = { openingUsd: usdText(opening ?? closing), closingUsd: usdText(closing) };
  return { userId, period: period ?? null, ...ends, lines };
};
