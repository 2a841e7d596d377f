import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Pacer, PaceRule } from '../../src/kernel/pacer.ts';

/** What every Pacer promises. */
export const pacerContract = (pacer: () => Pacer): void => {
  const rule = (burst: number, everyMs = 60_000): PaceRule => ({ name: `test-${randomUUID()}`, burst, everyMs });

  it('gives the burst at once, then tells how long to wait, and takes nothing meanwhile', async () => {
    const three = rule(3);
    const waits = [];
    for (let n = 0; n < 6; n += 1) waits.push(await pacer().take(three, 'key'));
    expect(waits.slice(0, 3)).to.deep.equal([0, 0, 0]);
    for (const wait of waits.slice(3)) expect(wait).to.be.within(1, 60_000);
  });

  it('gives exactly the burst when all come at once', async () => {
    const ten = rule(10);
    const waits = await Promise.all(Array.from({ length: 40 }, () => pacer().take(ten, 'key')));
    expect(waits.filter((wait) => wait === 0)).to.have.length(10);
  });

  it('gives one more after its time', async () => {
    const quick = rule(1, 5);
    let given = 0;
    for (let tries = 0; given < 3; tries += 1) {
      expect(tries).to.be.lessThan(10_000);
      const wait = await pacer().take(quick, 'key');
      expect(wait).to.be.within(0, 5);
      if (wait === 0) given += 1;
    }
  });

  it('keeps keys and rules apart', async () => {
    const [one, other] = [rule(1), rule(1)];
    expect(await pacer().take(one, 'a')).to.equal(0);
    expect(await pacer().take(one, 'b')).to.equal(0);
    expect(await pacer().take(other, 'a')).to.equal(0);
    expect(await pacer().take(one, 'a')).to.be.greaterThan(0);
  });
};
