import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import type { Projector } from '../../infra/postgres/projector.ts';
import type { ProjectionStatus } from '../../infra/postgres/projection-status.ts';
import type { Verification } from '../../infra/postgres/verify-projection.ts';
import { CliError } from '../../src/cli/connect.ts';
import { projectionProgram } from '../../src/cli/projection-commands.ts';
import type { Position } from '../../src/kernel/event-store.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { counted, counting, database, testProjector, until, vault } from './fixture.ts';

type Said = Readonly<{ code: number; out: readonly string[]; err: readonly string[] }>;

describe('the operators’ tool for projections', () => {
  const ada = randomUUID();
  const bob = randomUUID();
  const projection = counting();
  let store: MemoryEventStore;
  let pools: DatabasePools;
  let drop: () => Promise<void>;
  let running: Projector | undefined;
  let last: Position;

  /** Runs the tool as `npm run projections -- …` does, and answers what it printed and its exit code. */
  const run = async (...words: readonly string[]): Promise<Said> => {
    const out: string[] = [];
    const err: string[] = [];
    const program = projectionProgram((work) =>
      work({
        projections: [projection],
        store,
        pools,
        vault,
        now: () => new Date(),
        write: (line) => out.push(line),
        note: (line) => err.push(line),
        patienceMs: 1000,
      }),
    );
    try {
      await program.parseAsync([...words], { from: 'user' });
      return { code: 0, out, err };
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return { code: error.exitCode, out, err: [...err, error.message] };
    }
  };
  const start = async (): Promise<Projector> => {
    running = testProjector({ projections: [projection], store, pools });
    running.start();
    expect(await running.waitFor(last, { timeoutMs: 15_000 })).to.equal(true);
    return running;
  };

  beforeEach(async () => {
    ({ pools, drop } = await database());
    store = memoryEventStore();
    await store.append(`counter-${ada}`, 'any', [counted(1n), counted(2n)]);
    ({ position: last } = await store.append(`counter-${bob}`, 'any', [counted(3n, 'note')]));
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await drop();
  });

  it('tells how far each projection has come', async () => {
    const it = await start();
    await until(() => it.status()[0]?.state === 'live');
    const { code, out } = await run('status', '--json');
    const [status] = JSON.parse(out.join('\n')) as readonly ProjectionStatus[];
    expect(code).to.equal(0);
    expect(status).to.deep.include({
      name: 'test_counting',
      state: 'live',
      version: 1,
      position: '3',
      head: '3',
      lagSeconds: 0,
      events: 3,
      owner: 'test',
      failure: null,
    });
    expect((await run('status')).out.join('\n')).to.match(/^test_counting\s+live\s+position 3\s+lag 0 s/);
  });

  it('shows an owner that is gone as gone', async () => {
    await (await start()).stop();
    const { out } = await run('status', '--json');
    const [status] = JSON.parse(out.join('\n')) as readonly ProjectionStatus[];
    expect(status).to.deep.include({ state: 'waiting', owner: null });
  });

  it('says with 2 that nothing was ever projected', async () => {
    await pools.owner.query('drop schema projector cascade');
    expect((await run('status')).code).to.equal(2);
    expect((await run('verify')).code).to.equal(2);
  });

  it('finds read models right', async () => {
    await start();
    const { code, out } = await run('verify');
    expect(code).to.equal(0);
    expect(out.join('\n')).to.match(/3 events up to position 3[^]*test_counter: 2 rows, checksum [0-9a-f]{16}, right/);
  });

  it('has equal checksums for equal histories, and others for others', async () => {
    await start();
    const sums = async (): Promise<readonly string[]> => {
      const [result] = JSON.parse((await run('verify', '--json')).out.join('')) as readonly Verification[];
      return result!.tables.map(({ checksum }) => checksum);
    };
    const before = await sums();
    await running!.rebuild('test_counting');
    await until(() => running?.status()[0]?.state === 'live');
    expect(await sums()).to.deep.equal(before);
    ({ position: last } = await store.append(`counter-${ada}`, 'any', [counted(1n)]));
    await running!.waitFor(last, { timeoutMs: 10_000 });
    const after = await sums();
    after.forEach((sum, index) => expect(sum).not.to.equal(before[index]));
  });

  it('finds each row that is not as the log says', async () => {
    await start();
    const stray = randomUUID();
    await pools.projector.query(`update rm.test_counter set total = total + 1, at = at + interval '1 microsecond'
      where user_id = '${ada}'`);
    await pools.projector.query(`delete from rm.test_counter where user_id = '${bob}'`);
    await pools.projector.query(`insert into rm.test_counter (user_id) values ('${stray}')`);
    const { code, out } = await run('verify', 'test_counting', '--json');
    expect(code).to.equal(1);
    const [{ tables, right }] = JSON.parse(out.join('')) as readonly [Verification];
    expect(right).to.equal(false);
    const sums = tables.find(({ table }) => table === 'test_counter');
    expect(sums?.differing).to.equal(3);
    expect(sums?.differences).to.have.deep.members([
      { key: ada, what: 'different', columns: ['total', 'at'] },
      { key: bob, what: 'missing', columns: [] },
      { key: stray, what: 'unexpected', columns: [] },
    ]);
    expect(tables.find(({ table }) => table === 'test_entry')?.differing).to.equal(0);
    expect((await run('verify')).out.join('\n')).to.include(`${ada}: different total, at`);
  });

  it('rebuilds in another process, with progress, and ends when the log’s end is reached', async () => {
    await start();
    await pools.projector.query('update rm.test_counter set total = 1000');
    const { code, out, err } = await run('rebuild', 'test_counting');
    expect(code).to.equal(0);
    expect(err.at(-1)).to.match(/^test_counting \[#{30}\] 3 events$/);
    expect(out.join('\n')).to.match(/^test_counting\s+live/);
    expect((await run('verify')).code).to.equal(0);
  });

  it('ends a rebuild that fails with 1', async () => {
    let broken = false;
    const base = counting();
    const breaking = counting({
      apply: (event) => {
        if (broken) throw new RangeError('broken');
        return base.apply(event);
      },
    });
    running = testProjector({ projections: [breaking], store, pools });
    running.start();
    await running.waitFor(last, { timeoutMs: 15_000 });
    broken = true;
    const { code, out } = await run('rebuild', 'test_counting');
    expect(code).to.equal(1);
    expect(out.join('\n')).to.include('stopped at position 1 (Counted').and.to.include('RangeError');
  });

  it('says with 1 that a rebuild was given up or paused meanwhile', async () => {
    await start();
    await store.append(
      `counter-${ada}`,
      'any',
      Array.from({ length: 60 }, () => counted(1n)),
    );
    const slowly = ['rebuild', 'test_counting', '--rate', '10'];
    const building = async (): Promise<boolean> =>
      (JSON.parse((await run('status', '--json')).out.join('')) as readonly ProjectionStatus[])[0]?.building !== null;
    const paused = run(...slowly);
    await until(building);
    expect((await run('status')).out.join('\n')).to.match(/being built beside: \w+ {2}version 1/);
    expect((await run('pause', 'test_counting')).out).to.deep.equal(['test_counting: paused']);
    expect(await paused).to.deep.include({ code: 1 });
    expect((await run('resume', 'test_counting')).code).to.equal(0);
    expect((await run('pause', 'test_counting')).code).to.equal(0);
    // A new one begins from the beginning, and rests for nobody.
    const givenUp = run(...slowly);
    await delay(600);
    expect((await run('cancel', 'test_counting')).out).to.deep.equal(['test_counting: given up']);
    const { code, err } = await givenUp;
    expect(code).to.equal(1);
    expect(err.at(-1)).to.equal('The building of test_counting was given up.');
    for (const word of ['cancel', 'pause', 'resume', 'undo', 'forget']) {
      expect((await run(word, 'test_counting')).code, word).to.equal(1);
    }
  });

  it('goes back to what was replaced, and forgets it', async () => {
    await start();
    await run('rebuild', 'test_counting');
    await pools.projector.query('update rm.test_counter set total = 1000');
    const { code, out } = await run('undo', 'test_counting', '--json');
    expect(code).to.equal(0);
    expect((JSON.parse(out.join('')) as ProjectionStatus).replaced).to.deep.equal({ version: 1, position: '3' });
    expect((await run('verify')).code).to.equal(0);
    expect((await run('forget', 'test_counting')).code).to.equal(0);
    expect((await run('undo', 'test_counting')).code).to.equal(1);
  });

  it('says with 2 that nobody builds', async () => {
    await (await start()).stop();
    const { code, err } = await run('rebuild', 'test_counting');
    expect(code).to.equal(2);
    expect(err.at(-1)).to.match(/^No running server builds test_counting/);
  });

  it('refuses rates that are none', async () => {
    await start();
    for (const rate of ['0', '-1', '1.5', 'fast']) {
      expect((await run('rebuild', 'test_counting', '--rate', rate)).code, rate).to.equal(2);
    }
  });

  it('answers 2 for a projection that there is not', async () => {
    await start();
    for (const word of ['rebuild', 'undo', 'cancel', 'pause', 'resume', 'forget']) {
      expect((await run(word, 'nothing')).code, word).to.equal(2);
    }
    expect((await run('verify', 'nothing')).code).to.equal(2);
  });
});
