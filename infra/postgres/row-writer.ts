import { hash as digest } from 'node:crypto';
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

/** A text that is always the same; one with a name is prepared under it. */
type Text = Readonly<{ text: string; name?: string }>;

/** Remembers what is made of a table: there is little of it, and each is needed with every batch. */
const madeOnce = <T>() => {
  const tables = new WeakMap<Table, Map<string, T>>();
  return (table: Table, key: string, make: () => T): T => {
    const known = tables.get(table) ?? new Map<string, T>();
    tables.set(table, known);
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make();
    known.set(key, made);
    return made;
  };
};

/** Texts by what they are made of. */
const textOnce = madeOnce<Text>();

/** What is planned once must not depend on how full the table is: that goes for inserts, and for nothing that joins. */
const prepared = (text: string): Text => ({ text, name: `rm_${digest('sha256', text, 'hex').slice(0, 32)}` });

const removal = (name: string, table: Table, keys: readonly Row[]): Statement => ({
  ...textOnce(table, `delete ${name}`, () => ({
    text: `delete from ${name} as had using ${source(table, table.key)} where ${sameKey(table, 'had', 'given')}`,
  })),
  values: arrays(table, table.key, keys),
});

const insertion = (name: string, table: Table, columns: readonly string[], rows: readonly Row[]): Statement => ({
  ...textOnce(table, `insert ${name} ${columns.join(' ')}`, () =>
    prepared(`${insertInto(name, table, columns)} on conflict do nothing`),
  ),
  values: arrays(table, columns, rows),
});

const allOf = (table: Table, { set, add }: Columns): readonly string[] => [...table.key, ...set, ...add];

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

const upsert = (name: string, table: Table, written: Columns): Text => {
  const changes = assignments(written, (column) => `excluded.${columnName(column)}`);
  const keys = table.key.map(columnName).join(', ');
  const resolution = changes === '' ? 'nothing' : `update set ${changes}`;
  return prepared(`${insertInto(name, table, allOf(table, written))} on conflict (${keys}) do ${resolution}`);
};

/** Changes the rows that are there; one that is not is inserted, which says what it lacks. */
const updateOrInsert = (name: string, table: Table, written: Columns): Text => {
  const columns = allOf(table, written);
  const changes = assignments(written, (column) => given(table, column));
  const text = `with changed as (
      update ${name} as had set ${changes} from ${source(table, columns)} where ${sameKey(table, 'had', 'given')}
      returning ${table.key.map((column) => `had.${columnName(column)}`).join(', ')})
    ${insertInto(name, table, columns)} where not exists (select from changed where ${sameKey(table, 'changed', 'given')})`;
  return { text };
};

const changeText = (name: string, table: Table, written: Columns): Text => {
  const all = allOf(table, written);
  const write = all.length > table.key.length && lacksRequired(table, all) ? updateOrInsert : upsert;
  return write(name, table, written);
};

const change = (name: string, table: Table, written: Columns, rows: readonly Row[]): Statement => ({
  ...textOnce(table, `change ${name} ${written.set.join(' ')}|${written.add.join(' ')}`, () =>
    changeText(name, table, written),
  ),
  values: arrays(table, allOf(table, written), rows),
});

/** Names of members as rows of one origin have them, and the same in order without those of the key. */
type Shape = Readonly<{ text: string; all: readonly string[]; rest: readonly string[] }>;

/** Rows of one origin have the same members in the same order: their names are sorted once, not once a row. */
const shapeOnce = madeOnce<Shape>();

const shapeOf = (table: Table, row: Row): Shape => {
  const members = Object.keys(row);
  return shapeOnce(table, members.join(' '), () => {
    const all = members.toSorted();
    const rest = all.filter((column) => !table.key.includes(column));
    return { text: rest.join(' '), all, rest };
  });
};

/** Groups by the columns that are written, so that each group is one statement. */
const grouped = <T>(
  items: readonly T[],
  shapeOfItem: (item: T) => Readonly<{ text: string; columns: Columns }>,
): readonly (readonly [Columns, readonly T[]])[] => {
  const groups = new Map<string, { columns: Columns; items: T[] }>();
  for (const item of items) {
    const { text, columns } = shapeOfItem(item);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { columns, items: [item] });
    else group.items.push(item);
  }
  return [...groups.values()].map(({ columns, items: members }) => [columns, members]);
};

const inserted = (table: Table, row: Row) => {
  const { text, all } = shapeOf(table, row);
  return { text, columns: { set: all, add: [] } };
};

const setOrAdded = (table: Table, { set, add }: RowChange) => {
  const [setting, adding] = [shapeOf(table, set), shapeOf(table, add)];
  return { text: `${setting.text}|${adding.text}`, columns: { set: setting.rest, add: adding.rest } };
};

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
    ...grouped(inserts, (row) => inserted(table, row)).map(([{ set }, members]) =>
      insertion(name, table, set, members),
    ),
    ...grouped(upserts, (each) => setOrAdded(table, each)).map(([columns, members]) =>
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
