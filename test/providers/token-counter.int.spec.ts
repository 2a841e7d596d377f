import { expect } from 'chai';
import { tokenCounter } from '../../infra/tokenizer/token-counter.ts';

describe('the token counter', () => {
  const counter = tokenCounter();
  after(() => counter.close());

  it('counts in the o200k encoding', () => {
    expect(counter.count('Hello, world!')).to.equal(4);
    expect(counter.count('')).to.equal(0);
  });

  it('takes the names of special tokens for text', () => {
    expect(counter.count('<|endoftext|>')).to.be.greaterThan(1);
  });

  it('counts short texts at once and long ones elsewhere, with the same result', async () => {
    const line = 'The quick brown fox, then 42 more.\n';
    const short = counter.count(line.repeat(100));
    expect(short).to.be.a('number');
    const long = counter.count(line.repeat(1_000));
    expect(long).to.be.instanceOf(Promise);
    expect(await long).to.equal((short as number) * 10);
  });

  it('lets the event loop run while it counts', async () => {
    const counting = Promise.resolve(counter.count('some words to count, '.repeat(200_000)));
    let turns = 0;
    const state = { done: false };
    void counting.then(() => (state.done = true));
    while (!state.done) {
      await new Promise((resolve) => setImmediate(resolve));
      turns += 1;
    }
    expect(turns).to.be.greaterThan(5);
    expect(await counting).to.be.within(999_999, 1_000_001);
  });

  it('is not slowed down by a text without a break', async () => {
    for (const text of ['é'.repeat(100_000), ' '.repeat(100_000), 'ab'.repeat(50_000)]) {
      expect(await counter.count(text)).to.be.within(700, 101_000);
    }
  }).timeout(10_000);
});
