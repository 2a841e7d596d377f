import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Limiter, LimitRule } from '../../src/kernel/limiter.ts';

/** What every Limiter promises. */
export const limiterContract = (limiter: () => Limiter): void => {
  const rule = (max: number, windowSeconds = 60): LimitRule => ({ name: `test-${randomUUID()}`, max, windowSeconds });

  it('counts down, then refuses until the window ends', async () => {
    const three = rule(3);
    const standings = [];
    for (let n = 0; n < 5; n += 1) standings.push(await limiter().use(three, 'key'));
    expect(standings.map(({ allowed }) => allowed)).to.deep.equal([true, true, true, false, false]);
    expect(standings.map(({ remaining }) => remaining)).to.deep.equal([2, 1, 0, 0, 0]);
    for (const { max, resetSeconds } of standings) {
      expect(max).to.equal(3);
      expect(resetSeconds).to.be.within(1, 60);
    }
  });

  it('allows exactly the maximum when all come at once', async () => {
    const ten = rule(10);
    const standings = await Promise.all(Array.from({ length: 40 }, () => limiter().use(ten, 'key')));
    expect(standings.filter(({ allowed }) => allowed)).to.have.length(10);
  });

  it('keeps keys and rules apart', async () => {
    const [one, other] = [rule(1), rule(1)];
    await limiter().use(one, 'a');
    expect((await limiter().use(one, 'b')).allowed).to.equal(true);
    expect((await limiter().use(other, 'a')).allowed).to.equal(true);
    expect((await limiter().use(one, 'a')).allowed).to.equal(false);
  });

  it('looks without counting', async () => {
    const two = rule(2);
    for (let n = 0; n < 5; n += 1) expect((await limiter().look(two, 'key')).allowed).to.equal(true);
    await limiter().use(two, 'key');
    expect(await limiter().look(two, 'key')).to.include({ allowed: true, remaining: 1 });
    await limiter().use(two, 'key');
    expect(await limiter().look(two, 'key')).to.include({ allowed: false, remaining: 0 });
  });
};
