import { expect } from 'chai';
import fc from 'fast-check';
import { adjustmentsProjection } from '../../projections/adjustments/adjustments.projection.ts';
import { adjustmentTable } from '../../projections/adjustments/adjustments.table.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { creditBalanceTable, creditLotTable, openHoldTable } from '../../projections/balance/balance.table.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { journalTable } from '../../projections/journal/journal.table.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { ledgerTable, unifiedHistoryTable } from '../../projections/ledger/ledger.table.ts';
import { spendingLimitsProjection } from '../../projections/spending-limits/spending-limits.projection.ts';
import { spendingLimitTable } from '../../projections/spending-limits/spending-limits.table.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { usageDailyTable, usageRequestTable } from '../../projections/usage/usage.table.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import { capture, history as commandHistory, openAccount, purchase, reserve, USER } from '../credits/fixtures.ts';
import { givenProjection } from '../support/given-projection.ts';
import { accountRun } from './account-runs.ts';
import { memoryRows, projected } from './memory-rows.ts';

type History = Readonly<{ stream: string; events: readonly CreditAccountEvent[] }>;

const kinds = (histories: readonly History[]): ReadonlySet<string> =>
  new Set(histories.flatMap(({ events }) => events.map(({ type }) => type)));

const isHolding = (events: readonly CreditAccountEvent[]): boolean => events.at(-1)?.data.after.held !== '0';

const DAY = 86_400;

/** What chance seldom says: a day of far more spending than the days before it. */
const unusual: History = {
  stream: `creditAccount-${USER}`,
  events: commandHistory(
    openAccount(2_000_000n),
    purchase('p1', 2_000),
    reserve('r1', 1n, 2),
    capture('r1', 1n, 3),
    reserve('r2', 1n, 5 * DAY),
    capture('r2', 6_000_000n, 5 * DAY + 1),
  ),
};

/** Accounts that together say everything an account can say; one ends with money on hold. Always the same. */
const histories: readonly History[] = fc
  .sample(accountRun, { seed: 42, numRuns: 2000 })
  .map((appends, user) => ({ stream: `creditAccount-${uuidOf(`user ${user}`)}`, events: appends.flat() }))
  .toSorted((a, b) => Number(isHolding(b.events)) - Number(isHolding(a.events)) || b.events.length - a.events.length)
  .reduce<readonly History[]>(
    (chosen, next) => (kinds([...chosen, next]).size > kinds(chosen).size ? [...chosen, next] : chosen),
    [unusual],
  );

const stored = histories
  .flatMap(({ stream, events }) =>
    events.map(({ type, data }, revision) => projected(stream, revision, { type, data })),
  )
  .map((event, index) => ({ ...event, position: { commit: BigInt(index + 1), prepare: BigInt(index + 1) } }));

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
    expect(kinds(histories).size).to.equal(25);
    expect(histories.some(({ events }) => isHolding(events))).to.equal(true);
  });

  const cases: readonly (readonly [Projection, Table])[] = [
    [balanceProjection, creditBalanceTable],
    [balanceProjection, creditLotTable],
    [balanceProjection, openHoldTable],
    [ledgerProjection, ledgerTable],
    [ledgerProjection, unifiedHistoryTable],
    [usageProjection, usageRequestTable],
    [usageProjection, usageDailyTable],
    [journalProjection, journalTable],
    [adjustmentsProjection, adjustmentTable],
    [spendingLimitsProjection, spendingLimitTable],
  ];
  for (const [projection, table] of cases) {
    it(`fill ${table.name} with what the operations mean, in batches of any size`, async () => {
      const memory = memoryRows();
      for (const event of stored) memory.happen([projection], event);
      const expected = inKeyOrder(table, memory.rows(table)).map((row) => whole(table, row));
      await givenProjection(projection)
        .events(...stored.map(({ stream, type, data, id }) => ({ stream, type, data, id })))
        .thenRows(table, expected);
    });
  }
});
