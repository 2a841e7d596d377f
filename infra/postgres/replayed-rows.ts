import canonicalize from 'canonicalize';
import type { ForgetOp, RowOp } from '../../src/kernel/projection.ts';
import type { ColumnType, Row, Table, Value } from '../../src/kernel/table.ts';
import { columnOf } from './table-ddl.ts';
import { parameterOf } from './values.ts';

/** Microseconds since 1970 of an ISO text in UTC. */
const microsecondsOf = (text: string): string => {
  const fraction = /\.(\d{1,6})/.exec(text)?.[1] ?? '';
  const seconds = BigInt(Date.parse(text.replace(/\.\d+/, ''))) / 1000n;
  return (seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0'))).toString();
};

/** A value as text that is equal for all ways to write the same value. */
export const normalText = (type: ColumnType, value: Value): string => {
  if (value === null) return 'null';
  if (type === 'jsonb') return canonicalize(JSON.parse(String(parameterOf('jsonb', value)))) ?? '';
  if (type === 'timestamptz' && typeof value === 'string') return microsecondsOf(value);
  const text = String(parameterOf(type, value));
  return type === 'uuid' ? text.toLowerCase() : text;
};

/** The key of a row as text, whatever form its values have. */
export const normalKey = (table: Table, row: Row): string =>
  table.key.map((column) => normalText(columnOf(table, column).type, row[column] ?? null)).join(' ');

/** What each column of a new row holds when nothing is said about it. */
export type Defaults = Readonly<Record<string, Value>>;

/** Rows of one table, built by doing one operation after the other: slow, and too simple to be wrong in a clever way. */
export type ReplayedTable = Readonly<{ rows: Map<string, Row>; apply: (op: RowOp) => void }>;

const added = (row: Row, amounts: Readonly<Record<string, bigint>>): Row => {
  const sums = Object.entries(amounts).map(([column, amount]) => {
    const held = row[column] ?? 0n;
    if (typeof held === 'object') throw new Error(`${column} cannot be added to`);
    return [column, BigInt(held) + amount] as const;
  });
  return { ...row, ...Object.fromEntries(sums) };
};

const forget = (table: Table, rows: Map<string, Row>, { of, set }: ForgetOp): void => {
  const text = (row: Row, column: string): string => normalText(columnOf(table, column).type, row[column] ?? null);
  for (const [key, row] of rows) {
    if (!Object.keys(of).every((column) => text(row, column) === text(of, column))) continue;
    if (set === undefined) rows.delete(key);
    else rows.set(key, { ...row, ...set });
  }
};

/** An empty table. */
export const replayedTable = (table: Table, defaults: Defaults): ReplayedTable => {
  const rows = new Map<string, Row>();
  const apply = (op: RowOp): void => {
    if (op.op === 'forget') {
      forget(table, rows, op);
      return;
    }
    const key = normalKey(table, op.op === 'insert' ? op.row : op.key);
    const had = rows.get(key);
    switch (op.op) {
      case 'remove':
        rows.delete(key);
        return;
      case 'insert':
        if (had === undefined) rows.set(key, { ...defaults, ...op.row });
        return;
      case 'set':
        rows.set(key, { ...(had ?? defaults), ...op.set, ...op.key });
        return;
      case 'add':
        rows.set(key, { ...added(had ?? defaults, op.add), ...op.set, ...op.key });
        return;
    }
  };
  return { rows, apply };
};
