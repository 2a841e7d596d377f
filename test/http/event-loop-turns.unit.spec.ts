import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import { startedByTurns } from '../../src/http/event-loop-turns.ts';

describe('work that is begun turn by turn', () => {
  it('begins at once while there is little, in every turn', async () => {
    const start = startedByTurns(2);
    const begun: string[] = [];
    for (const round of ['a', 'b']) {
      for (const n of [1, 2]) start(() => begun.push(`${round}${n}`));
      expect(begun.slice(-2)).to.deep.equal([`${round}1`, `${round}2`]);
      await turn();
    }
  });

  it('is spread over turns when there is much, in the order in which it came', async () => {
    const start = startedByTurns(2);
    const begun: number[] = [];
    for (let n = 0; n < 5; n += 1) start(() => begun.push(n));
    expect(begun).to.deep.equal([0, 1]);
    await turn();
    expect(begun).to.deep.equal([0, 1, 2, 3]);
    start(() => begun.push(5));
    expect(begun, 'who comes later begins later').to.have.length(4);
    await turn();
    expect(begun).to.deep.equal([0, 1, 2, 3, 4, 5]);
  });
});
