import { expect } from 'chai';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import { memoryLimiter } from '../../infra/ephemeral/memory-limiter.ts';
import { ephemeralContract } from './ephemeral.contract.ts';
import { limiterContract } from './limiter.contract.ts';

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
