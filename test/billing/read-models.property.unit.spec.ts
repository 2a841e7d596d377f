import { expect } from 'chai';
import fc from 'fast-check';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { creditBalanceTable, creditLotTable, openHoldTable } from '../../projections/balance/balance.table.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { ledgerTable, unifiedHistoryTable } from '../../projections/ledger/ledger.table.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { journalTable } from '../../projections/journal/journal.table.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { usageDailyTable, usageRequestTable } from '../../projections/usage/usage.table.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { Projected } from '../../src/kernel/projection.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import { USER } from '../credits/fixtures.ts';
import { accountRun } from './account-runs.ts';
import { memoryRows, projected } from './memory-rows.ts';
import { runs } from '../support/runs.ts';

const projections = [balanceProjection, ledgerProjection, usageProjection, journalProjection];
const stream = `creditAccount-${USER}`;

const money = (row: Row, column: string): bigint => (row[column] ?? 0n) as bigint;
const sum = (rows: readonly Row[], column: string): bigint =>
  rows.reduce((total, row) => total + money(row, column), 0n);

type Rows = (table: Table) => readonly Row[];

const checkLots = (rows: Rows, { paid, promo, held }: CreditAccountEvent['data']['after']): void => {
  const lots = rows(creditLotTable);
  for (const lot of lots) {
    const parts = ['remaining_micro', 'held_micro', 'spent_micro', 'expired_micro', 'taken_micro'].map((column) =>
      money(lot, column),
    );
    for (const part of parts) expect(part >= 0n, 'no part of a lot below zero').to.equal(true);
    expect(
      parts.reduce((total, part) => total + part, 0n),
      'a lot is all there',
    ).to.equal(money(lot, 'granted_micro') + money(lot, 'added_micro'));
  }
  expect(sum(lots, 'remaining_micro'), 'what lots hold').to.equal(BigInt(paid) + BigInt(promo));
  expect(sum(lots, 'held_micro'), 'what lots have on hold').to.equal(BigInt(held));
  expect(sum(rows(openHoldTable), 'held_micro'), 'open holds').to.equal(BigInt(held));
};

const checkLedger = (rows: Rows, { paid, promo, held, shortfall }: CreditAccountEvent['data']['after']): void => {
  const lines = rows(ledgerTable);
  const owned = BigInt(paid) + BigInt(promo) + BigInt(held) - BigInt(shortfall);
  expect(sum(lines, 'net_micro'), 'the ledger adds up').to.equal(owned);
  let running = 0n;
  for (const line of lines) {
    running += money(line, 'net_micro');
    expect(money(line, 'balance_after_micro'), 'each line tells the sum up to it').to.equal(running);
  }
};

const checkUsage = (rows: Rows): void => {
  const charged = sum(rows(usageRequestTable), 'charged_micro');
  const consumed = rows(ledgerTable).filter((line) => line['type'] === 'consumption');
  const shown = rows(unifiedHistoryTable).filter((entry) => entry['type'] === 'usage');
  expect(-sum(consumed, 'net_micro'), 'what the ledger took').to.equal(charged);
  expect(-sum(shown, 'price_micro'), 'what the history shows').to.equal(charged);
  expect(sum(rows(usageDailyTable), 'charged_micro'), 'what the days add up to').to.equal(charged);
  expect(sum(rows(usageDailyTable), 'requests')).to.equal(BigInt(rows(usageRequestTable).length));
};

/** The books against the account, account by account; an event that is followed by another in its append may be half. */
const checkJournal = (rows: Rows, { paid, promo, held, shortfall }: CreditAccountEvent['data']['after']): void => {
  const lines = rows(journalTable);
  const of = (...accounts: readonly string[]): bigint => {
    const own = lines.filter((line) => accounts.includes(line['account'] as string));
    return sum(own, 'cr_micro') - sum(own, 'dr_micro');
  };
  expect(of('2000', '2100') + of('2010', '2110'), 'credits of the customer').to.equal(
    BigInt(paid) + BigInt(promo) + BigInt(held),
  );
  expect(of('2000'), 'paid').to.equal(BigInt(paid));
  expect(of('2010'), 'promo').to.equal(BigInt(promo));
  expect(of('2100', '2110'), 'on hold').to.equal(BigInt(held));
  expect(-of('1100'), 'owed').to.equal(BigInt(shortfall));
  expect(of('1900') + of('2010', '2110'), 'promo is no money').to.equal(0n);
};

const checkEntry = (event: Projected): void => {
  const posted = journalProjection.apply(event).flatMap((op) => (op.op === 'insert' ? [op.row] : []));
  expect(sum(posted, 'dr_micro'), `${event.type} balances`).to.equal(sum(posted, 'cr_micro'));
  for (const row of posted) {
    const sides = [money(row, 'dr_micro'), money(row, 'cr_micro')];
    expect(sides.filter((side) => side > 0n)).to.have.length(1);
    expect(sides.filter((side) => side === 0n)).to.have.length(1);
  }
};

const checkBalance = (rows: Rows, last: CreditAccountEvent | undefined, revision: number): void => {
  const { paid, promo, held, shortfall } = last!.data.after;
  expect(rows(creditBalanceTable)[0]).to.include({
    user_id: USER,
    paid_micro: BigInt(paid),
    promo_micro: BigInt(promo),
    held_micro: BigInt(held),
    shortfall_micro: BigInt(shortfall),
    revision: BigInt(revision),
  });
};

describe('read models of money, for everything that an account can say', () => {
  it('agree with the account and with each other', () => {
    fc.assert(
      fc.property(accountRun, (appends) => {
        const memory = memoryRows();
        let revision = 0;
        for (const events of appends) {
          for (const event of events) {
            checkEntry(projected(stream, revision, event));
            memory.happen(projections, projected(stream, revision, event));
            revision += 1;
            checkLots(memory.rows, event.data.after);
            checkLedger(memory.rows, event.data.after);
          }
          // A shortfall is the last word of its append: in between the request is charged and not owed yet.
          checkUsage(memory.rows);
          checkJournal(memory.rows, events.at(-1)!.data.after);
        }
        checkBalance(memory.rows, appends.at(-1)?.at(-1), revision - 1);
      }),
      { numRuns: runs(500) },
    );
  });
});
