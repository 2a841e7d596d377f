import { expect } from 'chai';
import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { usageMeter } from '../../commands/completions/usage-meter.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { costOf } from '../../src/kernel/pricing.ts';
import { givenProviders } from './given-providers.ts';
import { ownCasesOf } from './recorded-cases.ts';
import { request } from './replay.ts';
import { randomly, replayingUpstream, type ReplayingUpstream } from './replaying-upstream.ts';

const catalogue = loadCatalogue({ embedded: false });
const { signal } = new AbortController();

for (const [code, { make, modelId, surfaces }] of Object.entries(givenProviders)) {
  describe(`the same answer of ${code}`, () => {
    const { price } = catalogue.models.find(({ id }) => id === modelId)!;
    let server: ReplayingUpstream;
    let upstream: ChatUpstream;

    before(async () => {
      server = await replayingUpstream();
      upstream = make(server.url);
    });
    after(async () => {
      await upstream.close();
      await server.stop();
    });

    it('costs the same streamed and at once, line by line', async () => {
      const [streamed, whole] = ['own-same-streamed', 'own-same-json'].map((name) =>
        ownCasesOf(surfaces[0]).find((fixture) => fixture.name === name)!,
      );
      const meter = usageMeter(price, 7, { count: countTokens });
      server.answer(streamed!, randomly(3));
      for await (const batch of await upstream.stream(request(), { signal })) meter.take(batch);
      await meter.count();
      const { metered, estimated } = meter.read();
      server.answer(whole!);
      const { usage } = await upstream.complete(request(), { signal });
      const { pico, lines } = costOf(usage!, price);
      expect(estimated).to.equal(false);
      expect(metered.usage).to.deep.equal(usage);
      expect(metered.costPico).to.equal(pico.toString());
      expect(metered.lines.map(({ class: name, costPico }) => [name, costPico])).to.deep.equal(
        lines.map(({ class: name, cost }) => [name, cost.toString()]),
      );
      expect(metered.lines.map(({ class: name }) => name)).to.include.members(['input_cache_read', 'output_reasoning']);
      expect(lines.reduce((sum, { cost }) => sum + cost, 0n)).to.equal(pico);
      expect(Number(metered.cost)).to.be.greaterThan(0);
    });
  });
}
