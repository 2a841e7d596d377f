import type { ReconciliationRun } from '../../commands/reconciliation/reconciliation.decider.ts';
import type { OpenCase } from '../finance/open-cases.ts';
import type { ReplayedBalance } from '../finance/replayed-balance.ts';
import type { ReplayedBooks } from '../finance/replayed-books.ts';
import type { Statement } from '../finance/statement.ts';
import type { TrialBalance } from '../finance/trial-balance.ts';

/** A balance, one line for each of its members. */
export const balanceText = (balance: ReplayedBalance): string =>
  Object.entries(balance)
    .map(([name, value]) => `${name.padEnd(16)}${value === null ? '-' : String(value)}`)
    .join('\n');

const columns = (name: string, ...amounts: readonly string[]): string =>
  `${name.padEnd(46)}${amounts.map((amount) => amount.padStart(18)).join('')}`;

/** A trial balance as a table; amounts in USD. */
export const trialText = (trial: TrialBalance): string =>
  [
    columns('account', 'debit USD', 'credit USD', 'debit - credit'),
    ...trial.accounts.map(({ account, name, debitUsd, creditUsd, balanceUsd }) =>
      columns(`${account}  ${name}`, debitUsd, creditUsd, balanceUsd),
    ),
    columns('', trial.debitUsd, trial.creditUsd),
    `${trial.lines} lines of ${trial.events} events, through position ${trial.through ?? '-'}`,
    `hash ${trial.hash}`,
    trial.balanced ? 'debits equal credits, in every entry' : 'debits do not equal credits',
    ...trial.unbalanced.map((where) => `${where}: the entry does not balance`),
  ].join('\n');

/** Open cases as a table; amounts in USD. */
export const casesText = (cases: readonly OpenCase[]): string =>
  cases.length === 0
    ? 'No case is open.'
    : cases
        .map(({ account, name, purchaseId, userId, balanceUsd, since }) =>
          [
            `${account}  ${name.padEnd(22)}`,
            balanceUsd.padStart(16),
            `  since ${since}`,
            `  purchase ${purchaseId} of ${userId}`,
          ].join(''),
        )
        .join('\n');

/** A trial balance with what a replay of the accounts found. */
export const replayText = (books: ReplayedBooks): string =>
  [
    trialText(books),
    `${books.accountsReplayed} accounts replayed, ${books.discrepancies.length} discrepancies`,
    ...books.discrepancies.map(({ where, what }) => `${where}: ${what}`),
  ].join('\n');

/** A statement as a table; amounts in USD. */
export const statementText = ({ userId, period, openingUsd, closingUsd, lines }: Statement): string =>
  [
    `user ${userId}, ${period ?? 'from the beginning'}`,
    `${'at'.padEnd(26)}${'event'.padEnd(24)}${'change USD'.padStart(16)}${'balance USD'.padStart(16)}  about`,
    `${'opening'.padEnd(66)}${openingUsd.padStart(16)}`,
    ...lines.map(
      ({ at, event, changeUsd, balanceUsd, about }) =>
        `${at.padEnd(26)}${event.padEnd(24)}${changeUsd.padStart(16)}${balanceUsd.padStart(16)}  ${about}`,
    ),
    `${'closing'.padEnd(66)}${closingUsd.padStart(16)}`,
  ].join('\n');

/** A proof of everything, with what it found. */
export const runText = ({ startedAt, completedAt, asOfPos, proven, found }: ReconciliationRun): string =>
  proven === null
    ? `begun ${startedAt}, through position ${asOfPos}: not at its end`
    : [
        ...found.map(({ subject, what, expected, actual }) =>
          expected === null ? `${subject}: ${what}` : `${subject}: ${what}: ${expected} and ${actual}`,
        ),
        `${proven.events} events, ${proven.seals} seals and ${proven.accounts} accounts, through position ${asOfPos}`,
        `digest ${proven.digest}`,
        `trial balance ${proven.trialBalanceHash}`,
        `${startedAt} to ${completedAt}: ${proven.issues === 0 ? 'everything is as it should be' : `${proven.issues} issues`}`,
      ].join('\n');
