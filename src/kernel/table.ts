export type ColumnType = 'text' | 'uuid' | 'bigint' | 'integer' | 'boolean' | 'timestamptz' | 'jsonb';

export type Column = Readonly<{ type: ColumnType; nullable?: boolean; default?: string }>;

/** A read-model table: rows are written by its projection only. */
export type Table<C extends string = string> = Readonly<{
  name: string;
  columns: Readonly<Record<C, Column>>;
  /** The primary key. */
  key: readonly NoInfer<C>[];
  /** The column that row-level security compares with the user's id; absent: users see no row of this table. */
  owner?: NoInfer<C>;
  /** Rows whose `column` (a timestamptz) is older than so many days are of no use, and are removed now and then. */
  retention?: Readonly<{ column: NoInfer<C>; days: number }>;
  /** Further indexes, each a list of columns with optional ` desc`. */
  indexes?: readonly (readonly string[])[];
}>;

/** A value for a column: bigint for bigint, ISO text for timestamptz, any JSON value for jsonb. */
export type Value = string | number | bigint | boolean | null | Readonly<Record<string, unknown>> | readonly unknown[];

/** Column values of one row. */
export type Row = Readonly<Record<string, Value>>;

/** Declares a table; the column names are checked against key, owner and rows at compile time. */
export const defineTable = <const C extends string>(table: Table<C>): Table<C> => table;
