import { READ_SCHEMA } from '../../src/kernel/query.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import type { DatabasePools } from './pools.ts';
import { columnName, tableName } from './table-ddl.ts';

const DAY_MS = 86_400_000;

/** Before this instant a row is of no use; undefined when the table keeps its rows for ever. */
const keptSince = ({ retention }: Table, now: Date): Date | undefined =>
  retention === undefined ? undefined : new Date(now.getTime() - retention.days * DAY_MS);

/** True for a row that may have been removed because of its age. */
export const isOutdated = (table: Table, row: Row, now: Date): boolean => {
  const since = keptSince(table, now);
  if (since === undefined || table.retention === undefined) return false;
  const value = row[table.retention.column];
  return typeof value === 'string' && Date.parse(value) < since.getTime();
};

/**
 * Removes rows that are older than their table keeps them, and resolves with how many. A rebuild brings them back until
 * the next time.
 */
export const removeOutdated = async (
  { projector }: Pick<DatabasePools, 'projector'>,
  tables: readonly Table[],
  now: Date,
): Promise<number> => {
  let removed = 0;
  for (const table of tables) {
    const since = keptSince(table, now);
    if (since === undefined || table.retention === undefined) continue;
    const name = tableName(READ_SCHEMA, table.name);
    const text = `delete from ${name} where ${columnName(table.retention.column)} < $1`;
    const { rowCount } = await projector.query(text, [since.toISOString()]);
    removed += rowCount ?? 0;
  }
  return removed;
};
