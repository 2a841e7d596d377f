import type { ForgetOp, RowOp } from '../../src/kernel/projection.ts';
import type { Row, Table, Value } from '../../src/kernel/table.ts';

/** An operation on one row. */
export type OneRowOp = Exclude<RowOp, ForgetOp>;

/** What a batch does to one row, in this order: remove it, insert it unless it is there, set and add to its columns. */
export type RowChange = {
  readonly key: Row;
  removed: boolean;
  insert: Row | undefined;
  /** True when the row exists after the batch. */
  present: boolean;
  set: Record<string, Value>;
  add: Record<string, bigint>;
};

/** The changes of one table, by key. */
export type TableChanges = Readonly<{ table: Table; rows: ReadonlyMap<string, RowChange> }>;

/** A key as text: equal keys, equal text. */
const keyText = (table: Table, row: Row): string =>
  table.key
    .map((column) => {
      const value = row[column];
      if (value === undefined || value === null) throw new Error(`a row of ${table.name} lacks its key ${column}`);
      return JSON.stringify(typeof value === 'bigint' ? value.toString() : value);
    })
    .join('|');

const keyOf = (table: Table, row: Row): Row =>
  Object.fromEntries(table.key.map((column) => [column, row[column] ?? null]));

const setColumns = (change: RowChange, values: Row): void => {
  for (const [column, value] of Object.entries(values)) {
    change.set[column] = value;
    Reflect.deleteProperty(change.add, column);
  }
};

const addToColumn = (change: RowChange, column: string, amount: bigint): void => {
  const known = change.set[column];
  if (known === undefined) change.add[column] = (change.add[column] ?? 0n) + amount;
  else change.set[column] = bigintOf(known) + amount;
};

const bigintOf = (value: Value): bigint => {
  if (value === null) return 0n;
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' || typeof value === 'string') return BigInt(value);
  throw new Error('only numbers can be added to');
};

const applyTo = (change: RowChange, op: OneRowOp): void => {
  switch (op.op) {
    case 'set':
      setColumns(change, op.set);
      change.present = true;
      return;
    case 'add':
      for (const [column, amount] of Object.entries(op.add)) addToColumn(change, column, amount);
      setColumns(change, op.set ?? {});
      change.present = true;
      return;
    case 'insert':
      if (!change.present) change.insert = op.row;
      change.present = true;
      return;
    case 'remove':
      change.removed = true;
      change.present = false;
      change.insert = undefined;
      change.set = {};
      change.add = {};
      return;
  }
};

/** Folds operations in order, so that every row is written once a batch and not once an event. */
export const foldRows = (ops: readonly OneRowOp[]): readonly TableChanges[] => {
  const tables = new Map<Table, Map<string, RowChange>>();
  for (const op of ops) {
    const rows = tables.get(op.table) ?? new Map<string, RowChange>();
    tables.set(op.table, rows);
    const source = op.op === 'insert' ? op.row : op.key;
    const text = keyText(op.table, source);
    const change = rows.get(text) ?? {
      key: keyOf(op.table, source),
      removed: false,
      insert: undefined,
      present: false,
      set: {},
      add: {},
    };
    rows.set(text, change);
    applyTo(change, op);
  }
  return [...tables].map(([table, rows]) => ({ table, rows }));
};
