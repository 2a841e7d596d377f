import type { Table } from './table.ts';

/** A parameterised SQL statement. One with a name is parsed and planned once a connection: same name, same text. */
export type Statement = Readonly<{ text: string; values: readonly unknown[]; name?: string }>;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && 'columns' in value && 'name' in value;

/** The schema that holds all read models, and nothing else. */
export const READ_SCHEMA = 'rm';

/** The qualified name of a read-model table. */
export const qualified = (table: Pick<Table, 'name'>): string => `${READ_SCHEMA}.${table.name}`;

/** Builds a statement: tables become their qualified names, everything else a parameter. */
export const sql = (strings: TemplateStringsArray, ...parts: readonly unknown[]): Statement => {
  const values: unknown[] = [];
  const text = strings.reduce((left, right, index) => {
    const part = parts[index - 1];
    if (isTable(part)) return left + qualified(part) + right;
    values.push(part);
    return `${left}$${values.length}${right}`;
  });
  return { text, values };
};

/**
 * One question to the read models: a statement and how its rows are told. `Row` holds the columns as they come: bigint as
 * bigint, timestamptz as ISO text in UTC with six decimals, jsonb parsed, the rest as text, number or boolean.
 */
export type Query<Row, View> = Readonly<{ statement: Statement; present: (rows: readonly Row[]) => View }>;

/** The port that answers queries. A database that cannot answer now is a DatabaseUnavailableError. */
export type QueryRunner = Readonly<{
  /** As the role that serves users: row-level security shows it only this user's rows. */
  asUser: <Row, View>(userId: string, query: Query<Row, View>) => Promise<View>;
  /** As the system role, which sees all rows of the read models and may change none. */
  asSystem: <Row, View>(query: Query<Row, View>) => Promise<View>;
}>;

/** The read models cannot be asked at the moment; nothing is known about the question itself. Asking again is safe. */
export class DatabaseUnavailableError extends Error {
  readonly tag = 'DatabaseUnavailableError';
  constructor(what: string, cause?: unknown) {
    super(`database: ${what}`, { cause });
    this.name = 'DatabaseUnavailableError';
  }
}

/** True for a DatabaseUnavailableError, also one made by another copy of this module. */
export const isDatabaseUnavailable = (error: unknown): error is DatabaseUnavailableError =>
  error instanceof Error && 'tag' in error && error.tag === 'DatabaseUnavailableError';
