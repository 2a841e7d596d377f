import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quietly } from '../../infra/audit/quiet-tool.ts';
import { provingTool } from '../../src/app/nightly-proof.ts';

describe('a tool that is run beside the server', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tool-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const tool = (text: string): string => {
    const program = join(folder, 'tool.mjs');
    writeFileSync(program, text);
    return program;
  };
  const run = (program: string, signal = new AbortController().signal) =>
    quietly({ program, args: ['a', 'b'], env: { GIVEN: 'c' } }, signal);

  it('has its arguments and environment, a low priority, and is heard', async () => {
    const program = tool(
      `import { getPriority } from 'node:os';
       console.log([...process.argv.slice(2), process.env.GIVEN, getPriority()].join(' '));
       console.error('oh'); process.exitCode = 3;`,
    );
    expect(await run(program)).to.deep.equal({ code: 3, said: 'a b c 19\n', complained: 'oh\n' });
  });

  it('is killed when it is not wanted any more, and is gone then', async () => {
    const stop = new AbortController();
    const program = tool(`console.log(process.pid); setInterval(() => undefined, 1000);`);
    const running = run(program, stop.signal);
    setTimeout(() => stop.abort(), 300);
    const { code, said } = await running;
    expect(code).to.equal(null);
    if (said !== '') expect(() => process.kill(Number(said), 0)).to.throw('ESRCH');
  });

  it('is not begun when it is not wanted to begin with', async () => {
    expect(await run(tool('console.log(1)'), AbortSignal.abort())).to.include({ code: null, said: '' });
  });

  it('says why the proof cannot be made', async () => {
    const nowhere = { eventStoreUrl: 'esdb://127.0.0.1:1?tls=false', databaseUrl: 'postgres://127.0.0.1:1/none' };
    const { PATH } = process.env;
    const ended = await provingTool(nowhere, { PATH, DATA_DIR: folder })(new AbortController().signal);
    expect(ended).to.include({ code: 2, said: '' });
    expect(ended.complained).to.contain('The event store does not answer');
  }).timeout(60_000);

  it('is not heard of more than the end of what it complains of', async () => {
    const { complained } = await run(tool(`process.stderr.write('x'.repeat(100_000) + 'end')`));
    expect([complained.length, complained.slice(-4)]).to.deep.equal([1_000, 'xend']);
  });
});
