import { expect } from 'chai';
import { startSandbox, type Sandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { completionCollector } from '../../src/kernel/completion-collector.ts';
import type { ChatUpstream, Completion, UpstreamRequest } from '../../src/kernel/upstream.ts';
import { completionTokens, promptTokens } from '../../src/kernel/usage.ts';
import { request } from './replay.ts';

const asking = (text: string, over: Partial<UpstreamRequest> = {}): UpstreamRequest =>
  request({ messages: [{ role: 'user', parts: [{ type: 'text', text }] }], ...over });

const streamed = async (upstream: ChatUpstream, asked: UpstreamRequest): Promise<Completion> => {
  const collected = completionCollector();
  for await (const batch of await upstream.stream(asked, { signal: new AbortController().signal })) {
    batch.forEach(collected.take);
  }
  return collected.whole();
};

const whole = (upstream: ChatUpstream, asked: UpstreamRequest): Promise<Completion> =>
  upstream.complete(asked, { signal: new AbortController().signal });

describe('the sandbox', () => {
  let sandbox: Sandbox;
  const upstreams: Record<string, ChatUpstream> = {};

  before(async () => {
    sandbox = await startSandbox({ port: 0 });
    const options = { baseUrl: `${sandbox.url}/v1/`, clock: () => new Date(0) };
    upstreams['Chat Completions'] = sandboxUpstream(options);
    upstreams['the Responses API'] = openAiUpstream({ ...options, apiKey: 'any' });
  });
  after(async () => {
    await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
    await sandbox.stop();
  });

  for (const name of ['Chat Completions', 'the Responses API']) {
    describe(`over ${name}`, () => {
      it('says the prompt back, with the same usage streamed and at once', async () => {
        const asked = asking('Grüße an die 世界 👋🏽, all of it.');
        const [first, second] = [await streamed(upstreams[name]!, asked), await whole(upstreams[name]!, asked)];
        expect(first.text).to.equal('Grüße an die 世界 👋🏽, all of it.');
        expect(second.text).to.equal(first.text);
        expect(first.finish).to.equal('stop');
        expect(first.usage).to.deep.equal(second.usage);
        expect(promptTokens(first.usage!)).to.be.greaterThan(6);
      });

      it('stops at the limit and says so', async () => {
        const answer = await streamed(upstreams[name]!, asking('one two three four five six', { maxTokens: 3 }));
        expect(answer).to.include({ text: 'one two three', finish: 'length' });
        expect(completionTokens(answer.usage!)).to.equal(3);
      });

      it('answers at the wanted length', async () => {
        const answer = await streamed(upstreams[name]!, asking('[[sandbox tokens=50 chunks=5]] over and'));
        expect(completionTokens(answer.usage!)).to.equal(50);
      });

      it('leaves usage out when told to', async () => {
        const answer = await streamed(upstreams[name]!, asking('[[sandbox usage=0]] quiet'));
        expect(answer).to.include({ text: 'quiet', usage: undefined });
      });
    });
  }

  it('counts what it sent to a caller that went away', async () => {
    const before = sandbox.stats();
    const leaving = new AbortController();
    const asked = asking('[[sandbox stallAfter=3]] one two three four five');
    const batches = await upstreams['Chat Completions']!.stream(asked, { signal: leaving.signal });
    let text = '';
    try {
      for await (const batch of batches) {
        for (const event of batch) if (event.type === 'text') text += event.text;
        if (text === 'one two three') leaving.abort();
      }
      expect.fail('the answer came to an end');
    } catch (error) {
      expect(error).to.include({ kind: 'aborted' });
    }
    expect(sandbox.stats().outputTokens - before.outputTokens).to.equal(3);
  });
});
