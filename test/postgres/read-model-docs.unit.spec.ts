import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { projections } from '../../src/app/read-side.ts';

/** The rows of the table in the page; a read model of several tables is named in the first of its rows. */
const described = (): readonly string[] => {
  let readModel = '';
  return [
    ...readFileSync('docs/read-models.md', 'utf8').matchAll(/^\| *(?:`([\w-]+)`)? *\| *`(\w+)` *\| *([\w ]+?) *\|/gm),
  ].map(([, name, table = '', whose = '']) => {
    readModel = name ?? readModel;
    return `${readModel}: ${table}, ${whose}`;
  });
};

describe('docs/read-models.md', () => {
  it('names every read model with its tables, in their order, and who sees their rows', () => {
    const there = projections.flatMap(({ name, tables }) =>
      tables.map((table) => `${name}: ${table.name}, ${table.owner === undefined ? 'nobody' : 'their own'}`),
    );
    expect(described().toSorted()).to.deep.equal(there.toSorted());
  });
});
