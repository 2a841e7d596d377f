import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { span, useEventNode } from './node-under-test.ts';

describe('event node: with the successor of the client', () => {
  const part = useEventNode();

  it('shows the same behaviour', async function () {
    this.timeout(20_000);
    const program = fileURLToPath(new URL('second-client.ts', import.meta.url));
    const url = part.node().url.replace('esdb', 'kurrentdb');
    const { stdout } = await promisify(execFile)(process.execPath, [program, url], { timeout: 15_000 });
    expect(JSON.parse(stdout)).to.deep.equal({
      revision: '4',
      forwards: span(0, 6),
      backwards: [6, 5],
      conflict: 'wrong-expected-version',
      missing: 'stream-not-found',
      filtered: [0, 1],
      filteredBackwards: [6, 5],
      toStream: span(2, 6),
      toAll: span(0, 6),
      metadata: { maxCount: 2 },
      limited: [5, 6],
      deleted: 'stream-not-found',
      tombstoned: 'stream-deleted',
    });
  });
});
