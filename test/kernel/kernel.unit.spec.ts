import { expect } from 'chai';
import fc from 'fast-check';
import { CHAIN_START, hashOf } from '../../src/kernel/chain.ts';
import { errorCatalogue } from '../../src/kernel/errors.ts';
import { eventIdOf, isUuid, uuidOf } from '../../src/kernel/ids.ts';
import { divideHalfEven, microFromPico, microFromUsdText, usdText } from '../../src/kernel/money.ts';
import { sql } from '../../src/kernel/query.ts';
import { defineTable } from '../../src/kernel/table.ts';
import { upcast } from '../../src/kernel/upcasting.ts';
import { existsSync } from 'node:fs';

describe('money', () => {
  it('rounds half to even, in both directions', () => {
    expect([5n, 15n, 25n, -5n, -15n, 24n, 26n].map((a) => divideHalfEven(a, 10n))).to.deep.equal([
      0n,
      2n,
      2n,
      0n,
      -2n,
      2n,
      3n,
    ]);
    expect(microFromPico(1_500_000n)).to.equal(2n);
  });

  it('writes and reads USD without losing a micro-dollar', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (amount) => {
        expect(microFromUsdText(usdText(amount))).to.equal(amount);
      }),
    );
    expect(usdText(12_340_000n)).to.equal('12.34');
    for (const text of ['', '1.2345678', '1e3', '0x1', '1,5', 'NaN'])
      expect(microFromUsdText(text)).to.equal(undefined);
  });
});

describe('ids', () => {
  it('are UUIDs of version 5, the same for the same name and different for another ordinal', () => {
    expect(isUuid(uuidOf('a'))).to.equal(true);
    expect(uuidOf('a')).to.match(/^.{14}5.{4}[89ab]/);
    expect(eventIdOf('s', 'k', 0)).to.equal(eventIdOf('s', 'k', 0));
    expect(eventIdOf('s', 'k', 0)).not.to.equal(eventIdOf('s', 'k', 1));
  });
});

describe('hash of an event', () => {
  const metadata = {
    $correlationId: 'c',
    $causationId: 'c',
    schemaVersion: 1,
    occurredAt: '2026-01-01T00:00:00.000Z',
    idempotencyKey: 'k',
    actor: { kind: 'system', id: 'test' },
    prevHash: CHAIN_START,
  } as const;
  const event = { id: uuidOf('e'), stream: 'user-1', revision: 0n, type: 'Happened', data: { a: 1, b: 'x' }, metadata };

  it('does not depend on the order of members', () => {
    expect(hashOf({ ...event, data: { b: 'x', a: 1 } })).to.equal(hashOf(event));
  });

  it('depends on every part of the event', () => {
    const altered = [
      { ...event, id: uuidOf('f') },
      { ...event, stream: 'user-2' },
      { ...event, revision: 1n },
      { ...event, type: 'Happening' },
      { ...event, data: { a: 1, b: 'y' } },
      { ...event, metadata: { ...metadata, occurredAt: '2026-01-01T00:00:00.001Z' } },
      { ...event, metadata: { ...metadata, prevHash: '00' } },
    ].map(hashOf);
    expect(new Set([hashOf(event), ...altered]).size).to.equal(altered.length + 1);
  });
});

describe('error catalogue', () => {
  it('has a page for every error type', () => {
    for (const type of Object.keys(errorCatalogue)) {
      expect(type).to.match(/^[a-z]+(_[a-z]+)*$/);
      expect(existsSync(`docs/errors/${type}.md`), `docs/errors/${type}.md`).to.equal(true);
    }
  });
});

describe('sql', () => {
  it('makes parameters of values and names of tables', () => {
    const table = defineTable({ name: 'things', columns: { id: { type: 'text' } }, key: ['id'] });
    const injection = "'; drop table x; --";
    expect(sql`select * from ${table} where id = ${injection} limit ${1}`).to.deep.equal({
      text: 'select * from rm.things where id = $1 limit $2',
      values: [injection, 1],
    });
  });
});

describe('upcasting', () => {
  const upcasters = { Moved: [(data: { to: string }) => ({ to: [data.to] })] };
  const stored = (schemaVersion: number, data: unknown) => ({
    type: 'Moved',
    data,
    metadata: { schemaVersion } as Parameters<typeof upcast>[1]['metadata'],
  });

  it('reads an old shape as the latest one and leaves the latest alone', () => {
    expect(upcast(upcasters, stored(1, { to: 'a' })).data).to.deep.equal({ to: ['a'] });
    expect(upcast(upcasters, stored(2, { to: ['b'] })).data).to.deep.equal({ to: ['b'] });
  });

  it('stops at a version from the future', () => {
    expect(() => upcast(upcasters, stored(3, {}))).to.throw('newer');
  });
});
