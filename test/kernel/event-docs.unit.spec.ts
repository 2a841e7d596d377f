import { expect } from 'chai';
import { globSync, readFileSync } from 'node:fs';

const declared = globSync('src/events/**/*.events.ts').flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/Event<\s*'(\w+)'/g)].map(([, name]) => name ?? ''),
);

describe('docs/events.md', () => {
  it('names every event there is, and no other', () => {
    const described = [...readFileSync('docs/events.md', 'utf8').matchAll(/`([A-Z][A-Za-z]+)`/g)].map(
      ([, name]) => name ?? '',
    );
    expect([...new Set(described)].sort()).to.deep.equal([...new Set(declared)].sort());
  });
});
