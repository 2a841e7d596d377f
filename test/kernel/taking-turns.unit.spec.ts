import { expect } from 'chai';
import { sharedRuns } from '../../src/kernel/shared-runs.ts';
import { turnsByKey } from '../../src/kernel/turns.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks that note when they begin and end when they are told. */
const tasks = () => {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const task = (name: string) => (): Promise<string> => {
    const end = Promise.withResolvers<string>();
    begun.push(name);
    ends.set(name, end);
    return end.promise;
  };
  return { begun, task, end: (name: string) => ends.get(name)?.resolve(name), ends };
};

describe('turns', () => {
  it('let so many of a key run at once, and the others in the order in which they came', async () => {
    const { begun, task, end } = tasks();
    const inTurn = turnsByKey(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => inTurn('one', task(name)));
    const other = inTurn('another', task('x'));
    await settled();
    expect(begun).to.deep.equal(['a', 'b', 'x']);
    end('b');
    await settled();
    expect(begun).to.deep.equal(['a', 'b', 'x', 'c']);
    for (const name of ['a', 'c', 'x']) end(name);
    await settled();
    end('d');
    expect(await Promise.all([...all, other])).to.deep.equal(['a', 'b', 'c', 'd', 'x']);
  });

  it('are handed on by tasks that fail, and are free again when all have ended', async () => {
    const inTurn = turnsByKey(1);
    const failing = Array.from({ length: 3 }, (_, n) => inTurn('one', () => Promise.reject(new Error(`no ${n}`))));
    const failures = (await Promise.allSettled(failing)).map(({ status }) => status);
    expect(failures).to.deep.equal(['rejected', 'rejected', 'rejected']);
    expect(await inTurn('one', () => Promise.resolve('next'))).to.equal('next');
  });
});

describe('shared runs', () => {
  it('give all who ask while one is under way the next one, which begins afterwards', async () => {
    let runs = 0;
    const gates = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const ask = sharedRuns(async () => {
      const run = runs;
      runs += 1;
      await gates[run]?.promise;
      return run;
    });
    const first = ask('a');
    const later = [ask('a'), ask('a'), ask('a')];
    await settled();
    expect(runs).to.equal(1);
    gates[0]?.resolve(undefined);
    expect(await first).to.equal(0);
    await settled();
    const last = ask('a');
    gates[1]?.resolve(undefined);
    expect(await Promise.all(later)).to.deep.equal([1, 1, 1]);
    expect(await last).to.equal(2);
  });

  it('fail together, and the next one is asked anew', async () => {
    let runs = 0;
    const ask = sharedRuns((key) => {
      runs += 1;
      return runs < 3 ? Promise.reject(new Error(key)) : Promise.resolve(runs);
    });
    const outcomes = await Promise.allSettled([ask('a'), ask('a'), ask('a')]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected', 'rejected']);
    expect([runs, await ask('a')]).to.deep.equal([2, 3]);
  });
});
