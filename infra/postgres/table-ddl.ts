import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Projection } from '../../src/kernel/projection.ts';
import { READ_SCHEMA } from '../../src/kernel/query.ts';
import type { Column, ColumnType, Table } from '../../src/kernel/table.ts';

/** Raised when the way tables are made changes, so that they are all made again. */
const LAYOUT = 1;

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

const named = (name: string): string => {
  if (!NAME.test(name)) throw new Error(`${name} is no name for a table or column`);
  return `"${name}"`;
};

/** The quoted name of a table in a schema. */
export const tableName = (schema: string, table: string): string => `${named(schema)}.${named(table)}`;

/** A column name, quoted. */
export const columnName = named;

/** The definition of a column; throws when the table has no such column. */
export const columnOf = (table: Table, name: string): Column => {
  const column = (table.columns as Readonly<Record<string, Column | undefined>>)[name];
  if (column === undefined) throw new Error(`table ${table.name} has no column ${name}`);
  return column;
};

const columnLine = (name: string, { type, nullable, default: value }: Column): string =>
  `${named(name)} ${type}${nullable === true ? '' : ' not null'}${value === undefined ? '' : ` default ${value}`}`;

const indexed = (entry: string): string => {
  const [name = '', order, ...rest] = entry.split(' ');
  if (rest.length > 0 || (order !== undefined && order !== 'desc')) throw new Error(`not an index column: ${entry}`);
  return `${named(name)}${order === undefined ? '' : ' desc'}`;
};

const userOf: Readonly<Partial<Record<ColumnType, string>>> = {
  uuid: `nullif(current_setting('app.user_id', true), '')::uuid`,
  text: `nullif(current_setting('app.user_id', true), '')`,
};

/** Row-level security is forced, so that it binds the projector too, which owns the tables and gets a policy of its own. */
const policies = (schema: string, table: Table): readonly string[] => {
  const name = tableName(schema, table.name);
  const secured = [
    `alter table ${name} enable row level security`,
    `alter table ${name} force row level security`,
    `create policy projector_writes on ${name} to projector using (true) with check (true)`,
    `create policy system_reads on ${name} for select to app_system using (true)`,
    `grant select on ${name} to app_system, app_user`,
  ];
  if (table.owner === undefined) return secured;
  const user = userOf[columnOf(table, table.owner).type];
  if (user === undefined) throw new Error(`the owner of ${table.name} must be a uuid or text column`);
  // The sub-select makes Postgres read the setting once a query and not once a row.
  return [
    ...secured,
    `create policy owner_reads on ${name} for select to app_user using (${named(table.owner)} = (select ${user}))`,
  ];
};

/** The statements that make a read-model table with its key, indexes, policies and grants. */
export const createTable = (table: Table, schema: string = READ_SCHEMA): readonly string[] => {
  const name = tableName(schema, table.name);
  const columns = Object.entries(table.columns).map(([column, definition]) => columnLine(column, definition));
  const key = table.key.map((column) => (columnOf(table, column), named(column)));
  return [
    `create table ${name} (${[...columns, `primary key (${key.join(', ')})`].join(', ')})`,
    ...(table.indexes ?? []).map((index) => `create index on ${name} (${index.map(indexed).join(', ')})`),
    ...policies(schema, table),
  ];
};

/** The schema, with its grants where readers look into it; also right when it exists. */
export const createSchema = (schema: string = READ_SCHEMA): readonly string[] => [
  `create schema if not exists ${named(schema)}`,
  ...(schema === READ_SCHEMA ? [`grant usage on schema ${named(schema)} to app_user, app_system`] : []),
];

/** The statement that removes a read-model table, whether it is there or not. */
export const dropTable = (table: string, schema: string = READ_SCHEMA): string =>
  `drop table if exists ${tableName(schema, table)} cascade`;

/** The statement that moves a table, with its keys, indexes, policies and grants, to another schema, if it is there. */
export const moveTable = (table: string, from: string, to: string): string =>
  `alter table if exists ${tableName(from, table)} set schema ${named(to)}`;

/** What the tables of a projection are made from, in one word: two builds with the same word need no rebuild. */
export const definitionOf = ({ version, tables, streamPrefixes }: Projection): string => {
  const shape = { layout: LAYOUT, version, tables, streamPrefixes };
  return createHash('sha256')
    .update(canonicalize(shape) ?? '', 'utf8')
    .digest('hex')
    .slice(0, 32);
};

const typeNames: Readonly<Partial<Record<ColumnType, string>>> = { timestamptz: 'timestamp with time zone' };

/** The shape that `tableShapes` finds for a table as `createTable` made it. */
export const expectedShape = (table: Table): string =>
  Object.entries(table.columns)
    .map(([name, { type, nullable }]) => `${name} ${typeNames[type] ?? type}${nullable === true ? '' : ' not null'}`)
    .toSorted()
    .join(', ');

/** Finds the tables that exist of those named in $2 in schema $1, with their shape; one without forced security has none. */
export const tableShapes = `
  select c.relname as name,
    case when c.relrowsecurity and c.relforcerowsecurity then
      (select string_agg(line, ', ' order by line collate "C") from (
        select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end as line
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns)
    end as shape
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relname = any($2::text[]) and c.relkind = 'r'`;
