import type { Event, EventMetadata } from '../../src/kernel/message.ts';
import type { Projected, Projection, RowOp } from '../../src/kernel/projection.ts';
import type { Row, Table } from '../../src/kernel/table.ts';
import { uuidOf } from '../../src/kernel/ids.ts';

const metadata: EventMetadata = {
  $correlationId: 'c',
  $causationId: 'c',
  schemaVersion: 1,
  occurredAt: '2026-01-01T00:00:00.000Z',
  idempotencyKey: 'k',
  actor: { kind: 'system', id: 'system' },
  prevHash: '',
  hash: '',
};

/** The event at a revision of a stream, as a projection sees it. */
export const projected = (
  stream: string,
  revision: number,
  { type, data }: Event,
  opened: Readonly<Record<string, unknown>> = {},
): Projected => ({
  id: uuidOf(`${stream}|${revision}`),
  stream,
  revision: BigInt(revision),
  type,
  data,
  metadata,
  created: new Date(metadata.occurredAt),
  position: { commit: BigInt(revision), prepare: BigInt(revision) },
  opened,
});

const keyOf = (table: Table, row: Row): string =>
  table.key
    .map((column) =>
      JSON.stringify(row[column], (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
    )
    .join('|');

/** Read-model tables as plain maps: the meaning of row operations without a database. */
export const memoryRows = () => {
  const tables = new Map<string, Map<string, Row>>();
  const rowsOf = (table: Table): Map<string, Row> => {
    const rows = tables.get(table.name) ?? new Map<string, Row>();
    tables.set(table.name, rows);
    return rows;
  };
  const added = (row: Row, add: Readonly<Record<string, bigint>>): Row =>
    Object.fromEntries(
      Object.entries(add).map(([column, amount]) => [column, ((row[column] ?? 0n) as bigint) + amount]),
    );

  const apply = (op: RowOp): void => {
    const rows = rowsOf(op.table);
    if (op.op === 'forget') {
      for (const [key, row] of rows) {
        if (!Object.entries(op.of).every(([column, value]) => row[column] === value)) continue;
        if (op.set === undefined) rows.delete(key);
        else rows.set(key, { ...row, ...op.set });
      }
      return;
    }
    const key = keyOf(op.table, op.op === 'insert' ? op.row : op.key);
    const row = rows.get(key);
    switch (op.op) {
      case 'set':
        rows.set(key, { ...op.key, ...row, ...op.set });
        return;
      case 'add':
        rows.set(key, { ...op.key, ...row, ...op.set, ...added(row ?? {}, op.add) });
        return;
      case 'insert':
        if (row === undefined) rows.set(key, op.row);
        return;
      case 'remove':
        rows.delete(key);
    }
  };

  return {
    happen: (projections: readonly Projection[], event: Projected): void => {
      for (const projection of projections) projection.apply(event).forEach(apply);
    },
    rows: (table: Table): readonly Row[] => [...rowsOf(table).values()],
  };
};
