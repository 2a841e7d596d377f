import { expect } from 'chai';
import type { Price } from '../../src/kernel/catalogue.ts';
import {
  costOf,
  marginOf,
  picoFromUsdPerMillion,
  picoFromUsdPerThousand,
  usdPerMillion,
  usdTextOfPico,
} from '../../src/kernel/pricing.ts';
import type { Usage } from '../../src/kernel/usage.ts';

const usd = (text: string): bigint => picoFromUsdPerMillion(text)!;

const pro: Price = {
  input: usd('1.25'),
  output: usd('10'),
  cacheRead: usd('0.31'),
  longContextAbove: 200_000,
  longContext: { input: usd('2.5'), output: usd('15'), cacheRead: usd('0.625') },
};

const usage = (over: Partial<Usage>): Usage => ({
  inputUncached: 0,
  inputCachedRead: 0,
  inputCacheWrite: 0,
  outputVisible: 0,
  outputReasoning: 0,
  source: 'final',
  complete: true,
  ...over,
});

describe('the cost of a usage', () => {
  it('charges the long tier on the whole request', () => {
    const { cost, lines } = costOf(
      usage({ inputUncached: 200_000, inputCachedRead: 50_000, outputVisible: 1_000 }),
      pro,
    );
    expect(cost).to.equal(546_250n);
    expect(lines.map(({ class: name }) => name)).to.deep.equal(['input', 'input_cache_read', 'output']);
  });

  it('is still short at the threshold itself', () => {
    expect(costOf(usage({ inputUncached: 200_000 }), pro).cost).to.equal(250_000n);
    expect(costOf(usage({ inputUncached: 200_001 }), pro).cost).to.equal(500_002n);
  });

  it('charges cached tokens as others when there is no rate for them', () => {
    const plain: Price = { input: usd('2'), output: usd('8') };
    expect(costOf(usage({ inputUncached: 1, inputCachedRead: 2, inputCacheWrite: 3 }), plain).cost).to.equal(12n);
  });

  it('charges writing to the cache at its own rate', () => {
    const price: Price = { input: usd('3'), output: usd('15'), cacheRead: usd('0.3'), cacheWrite: usd('3.75') };
    expect(costOf(usage({ inputCacheWrite: 1_000_000 }), price).cost).to.equal(3_750_000n);
  });

  it('charges reasoning as output, in a line of its own', () => {
    const { cost, lines } = costOf(usage({ outputVisible: 100, outputReasoning: 900 }), pro);
    expect(cost).to.equal(10_000n);
    expect(lines.map(({ class: name, tokens }) => [name, tokens])).to.deep.equal([
      ['output', 100],
      ['output_reasoning', 900],
    ]);
  });

  it('charges reasoning, sound and searches at their own rates, each in a line of its own', () => {
    const price: Price = {
      input: usd('0.5'),
      output: usd('3'),
      cacheRead: usd('0.05'),
      reasoning: usd('2'),
      audioInput: usd('1'),
      cachedAudioInput: usd('0.1'),
      audioOutput: usd('12'),
      webSearch: picoFromUsdPerThousand('10')!,
    };
    const { lines, pico, cost } = costOf(
      usage({
        inputUncached: 10,
        inputCachedRead: 20,
        inputAudio: 1_000,
        inputAudioCached: 500,
        outputVisible: 30,
        outputReasoning: 40,
        outputAudio: 50,
        webSearches: 3,
      }),
      price,
    );
    expect(lines.map(({ class: name, tokens, rate, cost: line }) => [name, tokens, rate, line])).to.deep.equal([
      ['input', 10, 500_000n, 5_000_000n],
      ['input_audio', 1_000, 1_000_000n, 1_000_000_000n],
      ['input_cache_read', 20, 50_000n, 1_000_000n],
      ['input_audio_cache_read', 500, 100_000n, 50_000_000n],
      ['output', 30, 3_000_000n, 90_000_000n],
      ['output_audio', 50, 12_000_000n, 600_000_000n],
      ['output_reasoning', 40, 2_000_000n, 80_000_000n],
      ['web_search', 3, 10_000_000_000n, 30_000_000_000n],
    ]);
    expect(pico).to.equal(lines.reduce((sum, line) => sum + line.cost, 0n));
    expect(cost).to.equal(31_826n);
  });

  it('charges sound like the rest where it has no rate, and counts it to the prompt for the long tier', () => {
    const plain: Price = { input: usd('2'), output: usd('8'), cacheRead: usd('1') };
    expect(costOf(usage({ inputAudio: 1, inputAudioCached: 1, outputAudio: 1 }), plain).pico).to.equal(11_000_000n);
    const dearSound: Price = { ...plain, audioInput: usd('6') };
    expect(costOf(usage({ inputAudioCached: 1 }), dearSound).pico).to.equal(6_000_000n);
    expect(costOf(usage({ inputUncached: 1, inputAudio: 200_000 }), pro).pico).to.equal(200_001n * 2_500_000n);
  });

  it('charges nothing for what the provider says that it cost', () => {
    const known = usage({ outputVisible: 1 });
    expect(costOf({ ...known, providerCost: '12.5' }, pro)).to.deep.equal(costOf(known, pro));
  });

  it('rounds once, half to even', () => {
    const half: Price = { input: usd('0.5'), output: usd('0') };
    expect([1, 3, 5].map((tokens) => costOf(usage({ inputUncached: tokens }), half).cost)).to.deep.equal([0n, 2n, 2n]);
    // Two halves make a whole: rounding each line would lose it.
    expect(costOf(usage({ inputUncached: 1, inputCachedRead: 1 }), half).cost).to.equal(1n);
  });

  it('is nothing for a free model', () => {
    expect(costOf(usage({ inputUncached: 10, outputVisible: 10 }), { input: 0n, output: 0n }).cost).to.equal(0n);
  });

  it('is exact for the largest requests', () => {
    const dear: Price = { input: usd('21'), output: usd('168') };
    expect(costOf(usage({ inputUncached: 1_000_000_000, outputVisible: 1_000_000_001 }), dear).cost).to.equal(
      189_000_000_168n,
    );
  });
});

describe('prices', () => {
  it('are read without a float', () => {
    expect(picoFromUsdPerMillion('0.275')).to.equal(275_000n);
    expect(picoFromUsdPerMillion('168')).to.equal(168_000_000n);
    for (const wrong of ['', '-1', '1e3', '0.1234567', '.5', '1,5']) {
      expect(picoFromUsdPerMillion(wrong)).to.equal(undefined);
    }
  });

  it('of calls are read by the thousand', () => {
    expect(picoFromUsdPerThousand('25')).to.equal(25_000_000_000n);
    expect(picoFromUsdPerThousand('-1')).to.equal(undefined);
  });

  it('are written as they were read', () => {
    for (const text of ['0.005', '2', '0.25', '0', '3.75']) expect(usdPerMillion(usd(text))).to.equal(text);
    expect(usdTextOfPico(1n)).to.equal('0.000000000001');
  });

  it('give a margin in basis points', () => {
    expect(marginOf(101n, 5_000n)).to.equal(50n);
    expect(marginOf(103n, 5_000n)).to.equal(52n);
  });
});
