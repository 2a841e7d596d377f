import { expect } from 'chai';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import { memoryLimiter } from '../../infra/ephemeral/memory-limiter.ts';
import { memoryPacer } from '../../infra/ephemeral/memory-pacer.ts';
import { ephemeralContract } from './ephemeral.contract.ts';
import { limiterContract } from './limiter.contract.ts';
import { pacerContract } from './pacer.contract.ts';

describe('ephemeral state in this process', () => {
  // Starts above zero: a start at zero reads as "no time" in the library behind.
  let now = 1000;
  const store = memoryEphemeral({ maxEntries: 50, now: () => now });
  after(() => store.close());

  ephemeralContract(
    () => store,
    () => {
      now += 301;
      return Promise.resolve();
    },
  );

  it('lets the oldest go when it is full', async () => {
    for (let n = 0; n < 60; n += 1) await store.put(`full:${n}`, n, 60);
    expect(await store.get('full:0')).to.equal(undefined);
    expect(await store.get('full:59')).to.equal(59);
  });
});

describe('rate limits in this process', () => {
  const limiter = memoryLimiter();
  limiterContract(() => limiter);
});

describe('pace in this process', () => {
  const pacer = memoryPacer();
  pacerContract(() => pacer);

  it('fills a bucket one by one, and never fuller than full', async () => {
    let at = 1000;
    const own = memoryPacer(() => at);
    const rule = { name: 'test', burst: 3, everyMs: 100 };
    const takes = async (): Promise<number> => {
      let taken = 0;
      while ((await own.take(rule, 'key')) === 0) taken += 1;
      return taken;
    };
    expect(await takes()).to.equal(3);
    expect(await own.take(rule, 'key')).to.equal(100);
    at += 99;
    expect(await own.take(rule, 'key')).to.equal(1);
    at += 101;
    expect(await takes()).to.equal(2);
    at += 100_000;
    expect(await takes()).to.equal(3);
  });
});
