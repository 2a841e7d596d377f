import { expect } from 'chai';
import { toldCost } from '../../infra/providers/shared/told-cost.ts';
import { usageEvent, tokensOf } from '../../infra/providers/shared/usage-split.ts';

describe('what a provider says that a call cost', () => {
  it('is kept as a plain decimal, however it is written', () => {
    const written: readonly (readonly [object, string | undefined])[] = [
      [{ cost: 0.00095 }, '0.00095'],
      [{ cost: 1.13e-5 }, '0.0000113'],
      [{ cost: 5e-8 }, '0.00000005'],
      [{ cost: 1.5e22 }, '15000000000000000000000'],
      [{ cost: 12 }, '12'],
      [{ cost: 0 }, '0'],
      [{ cost: '0.25' }, '0.25'],
      [{ cost: { amount: 0.5 } }, '0.5'],
      [{ cost: { total: '0.75' } }, '0.75'],
      [{ cost_in_usd_ticks: 1_466_250 }, '0.000146625'],
      [{ cost_in_usd_ticks: 25_000_000_000 }, '2.5'],
      [{}, undefined],
      [{ cost: null }, undefined],
      [{ cost: -1 }, undefined],
      [{ cost: 'dear' }, undefined],
      [{ cost_in_usd_ticks: 0.5 }, undefined],
    ];
    for (const [block, text] of written) {
      expect(toldCost(block as Record<string, unknown>), JSON.stringify(block)).to.equal(text);
    }
  });
});

describe('what a provider counted', () => {
  const usageOf = (counted: object) => {
    const event = usageEvent({ input: 0, output: 0, source: 'final', complete: true, ...counted }, {});
    return event?.type === 'usage' ? event.usage : undefined;
  };

  it('falls into classes that do not overlap', () => {
    const parts = { cachedRead: 40, cacheWrite: 10, audio: 30, audioCached: 20, reasoning: 5, audioOutput: 3 };
    expect(usageOf({ input: 100, output: 20, ...parts, webSearches: 0 })).to.deep.equal({
      inputUncached: 40,
      inputAudio: 10,
      inputCachedRead: 20,
      inputAudioCached: 20,
      inputCacheWrite: 10,
      outputVisible: 12,
      outputReasoning: 5,
      outputAudio: 3,
      source: 'final',
      complete: true,
    });
  });

  it('never has a part that is larger than the whole', () => {
    expect(usageOf({ input: 5, output: 3, cachedRead: 9, cacheWrite: 9, audio: 9, reasoning: 9 })).to.include({
      inputUncached: 0,
      inputCachedRead: 5,
      inputCacheWrite: 0,
      outputVisible: 0,
      outputReasoning: 3,
    });
  });

  it('is not believed when one of its numbers makes no sense', () => {
    expect(usageOf({ input: 5, output: 3, cachedRead: tokensOf('many') })).to.equal(undefined);
    expect(usageOf({ input: 5, output: 3, cachedRead: tokensOf(null) })).to.not.equal(undefined);
    expect([tokensOf(-1), tokensOf(1.5)]).to.deep.equal([NaN, NaN]);
  });
});
