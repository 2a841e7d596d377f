import { expect } from 'chai';
import fc from 'fast-check';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { creditBalanceTable, creditLotTable, openHoldTable } from '../../projections/balance/balance.table.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { ledgerTable, unifiedHistoryTable } from '../../projections/ledger/ledger.table.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { usageDailyTable, usageRequestTable } from '../../projections/usage/usage.table.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import { USER } from '../credits/fixtures.ts';
import { givenProjection } from '../support/given-projection.ts';
import { accountRun } from './account-runs.ts';
import { memoryRows, projected } from './memory-rows.ts';

const stream = `creditAccount-${USER}`;

const kinds = (events: readonly CreditAccountEvent[]): number => new Set(events.map(({ type }) => type)).size;

const isHolding = (events: readonly CreditAccountEvent[]): boolean => events.at(-1)?.data.after.held !== '0';

/** A history that says everything an account can say and ends with money on hold; the same on every run. */
const history: readonly CreditAccountEvent[] = fc
  .sample(accountRun, { seed: 42, numRuns: 600 })
  .map((appends) => appends.flat())
  .filter(isHolding)
  .reduce((best, events) => (kinds(events) > kinds(best) ? events : best));

const asStored = (value: unknown, { type }: Table['columns'][string]): unknown =>
  type === 'timestamptz' && typeof value === 'string' ? value.replace('Z', '000Z') : value;

/** The row with what the database fills in: defaults of columns that nobody has written. */
const whole = (table: Table, row: Row): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(table.columns).map(([name, column]) => [
      name,
      name in row ? asStored(row[name], column) : column.default === undefined ? null : BigInt(column.default),
    ]),
  );

const inKeyOrder = (table: Table, rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((a, b) => {
    for (const column of table.key) {
      const [left, right] = [a[column]!, b[column]!];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });

describe('projections of accounts, in the database', () => {
  it('are tried on everything that an account can say', () => {
    expect(kinds(history)).to.equal(9);
    expect(isHolding(history)).to.equal(true);
  });

  const cases: readonly (readonly [Projection, Table])[] = [
    [balanceProjection, creditBalanceTable],
    [balanceProjection, creditLotTable],
    [balanceProjection, openHoldTable],
    [ledgerProjection, ledgerTable],
    [ledgerProjection, unifiedHistoryTable],
    [usageProjection, usageRequestTable],
    [usageProjection, usageDailyTable],
  ];
  for (const [projection, table] of cases) {
    it(`fill ${table.name} with what the operations mean, in batches of any size`, async () => {
      const memory = memoryRows();
      history.forEach((event, revision) => memory.happen([projection], projected(stream, revision, event)));
      const expected = inKeyOrder(table, memory.rows(table)).map((row) => whole(table, row));
      await givenProjection(projection)
        .events(
          ...history.map(({ type, data }, revision) => {
            const { id } = projected(stream, revision, { type, data });
            return { stream, type, data, id };
          }),
        )
        .thenRows(table, expected);
    });
  }
});
