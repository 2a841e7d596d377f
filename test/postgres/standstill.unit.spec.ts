import { expect } from 'chai';
import { standstill } from '../../infra/postgres/standstill.ts';

describe('a standstill of a projection', () => {
  const at = (commit: bigint) => ({ name: 'some', generation: 1n, position: { commit, prepare: commit } });

  it('is a place that is not left for too long though there is work', () => {
    const still = standstill(30);
    expect([0, 20, 29].map((now) => still.isAt(at(1n), true, now))).to.deep.equal([false, false, false]);
    expect(still.isAt(at(1n), true, 30)).to.equal(true);
  });

  it('is told once, and again after as long a time', () => {
    const still = standstill(30);
    const told = [0, 30, 40, 69, 70].map((now) => still.isAt(at(1n), true, now));
    expect(told).to.deep.equal([false, true, false, false, true]);
  });

  it('is none when it moves, or has nothing to do, or when nobody could move', () => {
    const still = standstill(30);
    still.isAt(at(1n), true, 0);
    expect(still.isAt(at(2n), true, 30)).to.equal(false);
    still.isAt(at(2n), false, 50);
    expect(still.isAt(at(2n), true, 60)).to.equal(false);
    still.forget();
    expect(still.isAt(at(2n), true, 95)).to.equal(false);
  });
});
