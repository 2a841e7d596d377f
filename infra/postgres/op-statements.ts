import type { ForgetOp, RowOp } from '../../src/kernel/projection.ts';
import { READ_SCHEMA, type Statement } from '../../src/kernel/query.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import { foldRows, type OneRowOp } from './row-fold.ts';
import { writeStatements } from './row-writer.ts';
import { columnName, columnOf, tableName } from './table-ddl.ts';
import { parameterOf } from './values.ts';

/** `column = $n` for each column, from parameter `first` on. */
const equations = (table: Table, row: Row, first: number): readonly string[] =>
  Object.keys(row).map((column, index) => `${columnName(column)} = $${first + index}::${columnOf(table, column).type}`);

const valuesOf = (table: Table, row: Row): readonly unknown[] =>
  Object.entries(row).map(([column, value]) => parameterOf(columnOf(table, column).type, value));

const forgetting = ({ table, of, set = {} }: ForgetOp, schema: string): Statement => {
  const name = tableName(schema, table.name);
  const written = equations(table, set, 1);
  const which = equations(table, of, written.length + 1).join(' and ');
  const text =
    written.length === 0
      ? `delete from ${name} where ${which}`
      : `update ${name} set ${written.join(', ')} where ${which}`;
  return { text, values: [...valuesOf(table, set), ...valuesOf(table, of)] };
};

/** The statements that do what operations do, in their order: what was said before something is forgotten is written first. */
export const statementsOf = (ops: readonly RowOp[], schema: string = READ_SCHEMA): readonly Statement[] => {
  const statements: Statement[] = [];
  let folding: OneRowOp[] = [];
  const write = (): void => {
    statements.push(...writeStatements(foldRows(folding), schema));
    folding = [];
  };
  for (const op of ops) {
    if (op.op === 'forget') {
      write();
      statements.push(forgetting(op, schema));
    } else folding.push(op);
  }
  write();
  return statements;
};
