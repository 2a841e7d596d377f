import { expect } from 'chai';
import fc from 'fast-check';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { normalKey, normalText, replayedTable } from '../../infra/postgres/replayed-rows.ts';
import { statementsOf } from '../../infra/postgres/op-statements.ts';
import { createSchema, createTable } from '../../infra/postgres/table-ddl.ts';
import type { RowOp } from '../../src/kernel/projection.ts';
import { defineTable, type Column, type Row } from '../../src/kernel/table.ts';
import { database } from './fixture.ts';

const table = defineTable({
  name: 'test_row',
  columns: {
    id: { type: 'text' },
    part: { type: 'bigint' },
    sum: { type: 'bigint', default: '0' },
    other: { type: 'bigint', nullable: true },
    note: { type: 'text', default: `'none'` },
    small: { type: 'integer', nullable: true },
    flag: { type: 'boolean', default: 'false' },
    data: { type: 'jsonb', nullable: true },
    at: { type: 'timestamptz', nullable: true },
    uuid: { type: 'uuid', nullable: true },
  },
  key: ['id', 'part'],
});

const defaults: Row = {
  sum: 0n,
  other: null,
  note: 'none',
  small: null,
  flag: false,
  data: null,
  at: null,
  uuid: null,
};

const key = fc.record({ id: fc.constantFrom('a', 'b', "c'"), part: fc.constantFrom(1n, 2n) });
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('{"a"}', '\\', 'NULL', '', '\u0000', '\ud800'));
const set = fc.record(
  {
    sum: fc.bigInt({ min: -1000n, max: 1000n }),
    other: fc.option(fc.bigInt({ min: -1000n, max: 1000n })),
    note: text,
    small: fc.option(fc.integer({ min: -1000, max: 1000 })),
    flag: fc.boolean(),
    data: fc.oneof(
      fc.constant(null),
      fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null)), { maxKeys: 3 }),
    ),
    at: fc.option(fc.constantFrom('2026-11-02T09:00:01.250Z', '2026-11-02T09:00:01.000001Z', '1969-12-31T23:59:59.5Z')),
    uuid: fc.option(fc.uuid().map((id) => id.toUpperCase())),
  },
  { requiredKeys: [] },
);
const add = fc.record(
  { sum: fc.bigInt({ min: -5n, max: 5n }), other: fc.bigInt({ min: -5n, max: 5n }) },
  { requiredKeys: [] },
);

const op: fc.Arbitrary<RowOp> = fc.oneof(
  fc.record({ key, set }).map((drawn): RowOp => ({ op: 'set', table, key: drawn.key, set: drawn.set })),
  fc
    .record({ key, add, set })
    .map((drawn): RowOp => ({ op: 'add', table, key: drawn.key, add: drawn.add, set: drawn.set })),
  fc.record({ key, add }).map((drawn): RowOp => ({ op: 'add', table, key: drawn.key, add: drawn.add })),
  fc.record({ key, set }).map((drawn): RowOp => ({ op: 'insert', table, row: { ...drawn.set, ...drawn.key } })),
  key.map((drawn): RowOp => ({ op: 'remove', table, key: drawn })),
  fc
    .record({ key, set })
    .map(({ key: { id }, set: cleared }): RowOp => ({ op: 'forget', table, of: { id }, set: cleared })),
  key.map(({ id }): RowOp => ({ op: 'forget', table, of: { id } })),
);

describe('row writer', () => {
  let pools: DatabasePools;
  let drop: () => Promise<void>;

  before(async () => {
    ({ pools, drop } = await database());
    for (const statement of [...createSchema(), ...createTable(table)]) await pools.projector.query(statement);
  });
  after(() => drop());

  const columns: readonly (readonly [string, Column])[] = Object.entries(table.columns);
  const normal = (row: Row): string =>
    columns.map(([name, { type }]) => `${name}=${normalText(type, row[name] ?? null)}`).join(' ');

  const written = async (batches: readonly (readonly RowOp[])[]): Promise<readonly string[]> => {
    await pools.projector.query('delete from rm.test_row');
    for (const batch of batches)
      for (const { text: statement, values } of statementsOf(batch))
        await pools.projector.query(statement, [...values]);
    const { rows } = await pools.projector.query<Row>('select * from rm.test_row');
    return rows.map(normal).toSorted();
  };
  const replayed = (ops: readonly RowOp[]): readonly string[] => {
    const { rows, apply } = replayedTable(table, defaults);
    for (const each of ops) apply(each);
    for (const [text_, row] of rows) expect(normalKey(table, row)).to.equal(text_);
    return [...rows.values()].map(normal).toSorted();
  };

  it('writes the same rows however operations are batched', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(op, { maxLength: 8 }), { maxLength: 5 }), async (batches) => {
        const ops = batches.flat();
        const expected = replayed(ops);
        expect(await written(batches), 'in batches').to.deep.equal(expected);
        expect(await written([ops]), 'in one').to.deep.equal(expected);
        expect(await written(ops.map((each) => [each])), 'singly').to.deep.equal(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('writes a batch in as many statements as it has shapes, not rows', () => {
    const ops = Array.from({ length: 1000 }, (_, index): RowOp => {
      const row = { id: `row ${index}`, part: 1n };
      return index % 2 === 0 ? { op: 'add', table, key: row, add: { sum: 1n } } : { op: 'insert', table, row };
    });
    expect(statementsOf(ops)).to.have.length(2);
  });
});
