import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { problemOf } from '../../src/http/problem.ts';
import { DomainError, errorCatalogue } from '../../src/kernel/errors.ts';
import type { ErrorType } from '../../src/kernel/errors.ts';

const folder = new URL('../../docs/errors/', import.meta.url);
const types = Object.keys(errorCatalogue) as ErrorType[];

/** What the desktop takes for a prompt that is too big, wherever it reads it. */
const RESERVED =
  /is too long|maximum context length|prompt is too large|context window exceeded|token limit exceeded|too many tokens|context length exceeded|maximum tokens exceeded|input too long/i;

describe('the pages about errors', () => {
  it('are there for each error type, and for nothing else', () => {
    const pages = readdirSync(folder).filter((name) => name !== 'README.md');
    expect(pages).to.have.members(types.map((type) => `${type}.md`));
  });

  for (const type of types) {
    it(`tell of ${type} what the server answers`, () => {
      const page = readFileSync(new URL(`${type}.md`, folder), 'utf8');
      const { status } = problemOf(new DomainError(type, 'a reason'));
      const { label } = errorCatalogue[type];
      expect(page).to.match(
        new RegExp(`^# \`${type}\`\n\nHTTP status ${status}\\. The message starts with \`${label}: \`\\.`),
      );
      for (const part of ['## Common causes', '## How to fix it']) expect(page).to.contain(part);
      expect(readFileSync(new URL('README.md', folder), 'utf8')).to.contain(`| [\`${type}\`](${type}.md)`);
      expect(label).not.to.match(RESERVED);
    });
  }
});
