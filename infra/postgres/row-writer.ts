import { READ_SCHEMA, type Statement } from '../../src/kernel/query.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import type { RowChange, TableChanges } from './row-fold.ts';
import { columnName, columnOf, tableName } from './table-ddl.ts';
import { arrayParameter, arrayType } from './values.ts';

/** The columns besides the key that a statement writes. */
type Columns = Readonly<{ set: readonly string[]; add: readonly string[] }>;

/** One array parameter a column: a statement has the same text for one row as for two thousand. */
const arrays = (table: Table, columns: readonly string[], rows: readonly Row[]): readonly unknown[] =>
  columns.map((column) => {
    const { type } = columnOf(table, column);
    return arrayParameter(
      type,
      rows.map((row) => row[column]),
    );
  });

const source = (table: Table, columns: readonly string[]): string => {
  const parameters = columns.map((column, index) => `$${index + 1}::${arrayType(columnOf(table, column).type)}`);
  return `unnest(${parameters.join(', ')}) as given(${columns.map(columnName).join(', ')})`;
};

const given = (table: Table, column: string): string =>
  `given.${columnName(column)}${columnOf(table, column).type === 'jsonb' ? '::jsonb' : ''}`;

const selected = (table: Table, columns: readonly string[]): string =>
  columns.map((column) => given(table, column)).join(', ');

const sameKey = (table: Table, left: string, right: string): string =>
  table.key.map((column) => `${left}.${columnName(column)} = ${right}.${columnName(column)}`).join(' and ');

const insertInto = (name: string, table: Table, columns: readonly string[]): string =>
  `insert into ${name} as had (${columns.map(columnName).join(', ')}) select ${selected(table, columns)} from ${source(table, columns)}`;

const removal = (name: string, table: Table, keys: readonly Row[]): Statement => ({
  text: `delete from ${name} as had using ${source(table, table.key)} where ${sameKey(table, 'had', 'given')}`,
  values: arrays(table, table.key, keys),
});

const insertion = (name: string, table: Table, columns: readonly string[], rows: readonly Row[]): Statement => ({
  text: `${insertInto(name, table, columns)} on conflict do nothing`,
  values: arrays(table, columns, rows),
});

/** New values of the written columns; `fresh` is where they come from. */
const assignments = ({ set, add }: Columns, fresh: (column: string) => string): string =>
  [
    ...set.map((column) => `${columnName(column)} = ${fresh(column)}`),
    ...add.map((column) => `${columnName(column)} = coalesce(had.${columnName(column)}, 0) + ${fresh(column)}`),
  ].join(', ');

/** Postgres checks a row to be inserted before it looks for the row to be updated: this one is not complete enough. */
const lacksRequired = (table: Table, columns: readonly string[]): boolean =>
  Object.entries(table.columns).some(
    ([column, { nullable, default: value }]) => nullable !== true && value === undefined && !columns.includes(column),
  );

const upsert = (name: string, table: Table, written: Columns, rows: readonly Row[]): Statement => {
  const columns = [...table.key, ...written.set, ...written.add];
  const values = arrays(table, columns, rows);
  const changes = assignments(written, (column) => `excluded.${columnName(column)}`);
  const keys = table.key.map(columnName).join(', ');
  const resolution = changes === '' ? 'nothing' : `update set ${changes}`;
  return { text: `${insertInto(name, table, columns)} on conflict (${keys}) do ${resolution}`, values };
};

/** Changes the rows that are there; one that is not is inserted, which says what it lacks. */
const updateOrInsert = (name: string, table: Table, written: Columns, rows: readonly Row[]): Statement => {
  const columns = [...table.key, ...written.set, ...written.add];
  const changes = assignments(written, (column) => given(table, column));
  const text = `with changed as (
      update ${name} as had set ${changes} from ${source(table, columns)} where ${sameKey(table, 'had', 'given')}
      returning ${table.key.map((column) => `had.${columnName(column)}`).join(', ')})
    ${insertInto(name, table, columns)} where not exists (select from changed where ${sameKey(table, 'changed', 'given')})`;
  return { text, values: arrays(table, columns, rows) };
};

const change = (name: string, table: Table, written: Columns, rows: readonly Row[]): Statement => {
  const all = [...table.key, ...written.set, ...written.add];
  const write = all.length > table.key.length && lacksRequired(table, all) ? updateOrInsert : upsert;
  return write(name, table, written, rows);
};

/** Groups by the columns that are written, so that each group is one statement. */
const grouped = <T>(
  items: readonly T[],
  columnsOf: (item: T) => Columns,
): readonly (readonly [Columns, readonly T[]])[] => {
  const groups = new Map<string, { columns: Columns; items: T[] }>();
  for (const item of items) {
    const columns = columnsOf(item);
    const text = `${columns.set.join(' ')}|${columns.add.join(' ')}`;
    const group = groups.get(text) ?? { columns, items: [] };
    groups.set(text, group);
    group.items.push(item);
  }
  return [...groups.values()].map(({ columns, items: members }) => [columns, members]);
};

const notKey = (table: Table, row: Row): readonly string[] =>
  Object.keys(row)
    .filter((column) => !table.key.includes(column))
    .toSorted();

const setOrAdd = (table: Table, { set, add }: RowChange): Columns => ({
  set: notKey(table, set),
  add: notKey(table, add),
});

/** A row that was only inserted needs no upsert after it. */
const needsUpsert = ({ present, insert, set, add }: RowChange): boolean =>
  present && (insert === undefined || Object.keys(set).length + Object.keys(add).length > 0);

const tableStatements = ({ table, rows }: TableChanges, schema: string): readonly Statement[] => {
  const name = tableName(schema, table.name);
  const changes = [...rows.values()];
  const removed = changes.filter(({ removed: gone }) => gone).map(({ key }) => key);
  const inserts = changes.flatMap(({ insert }) => (insert === undefined ? [] : [insert]));
  const upserts = changes.filter(needsUpsert);
  return [
    ...(removed.length === 0 ? [] : [removal(name, table, removed)]),
    ...grouped(inserts, (row) => ({ set: Object.keys(row).toSorted(), add: [] })).map(([{ set }, members]) =>
      insertion(name, table, set, members),
    ),
    ...grouped(upserts, (each) => setOrAdd(table, each)).map(([columns, members]) =>
      change(
        name,
        table,
        columns,
        members.map(({ key, set, add }) => ({ ...set, ...add, ...key })),
      ),
    ),
  ];
};

/** The statements that write folded changes: a handful, however many rows there are. */
export const writeStatements = (changes: readonly TableChanges[], schema: string = READ_SCHEMA): readonly Statement[] =>
  changes.flatMap((each) => tableStatements(each, schema));
