import { expect } from 'chai';
import { completionCollector } from '../../src/kernel/completion-collector.ts';
import {
  isUpstreamError,
  type ChatUpstream,
  type Completion,
  type UpstreamRequest,
} from '../../src/kernel/upstream.ts';
import { cachedTokens, promptTokens, visibleTokens } from '../../src/kernel/usage.ts';
import type { Expected, RecordedCase } from './recorded-cases.ts';

/** A request as small as can be. */
export const request = (over: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  requestId: '5b8f3a0e-0000-4000-8000-000000000001',
  model: 'some-model',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  sampling: {},
  tools: [],
  webMode: false,
  ...over,
});

/** What became of a replayed case: the answer as far as it came, and the failure if there was one. */
export type Replayed = Readonly<{ completion: Completion; failure: unknown; batches: number }>;

/** Runs a case through an adapter, streamed or not as it was recorded. */
export const replay = async (upstream: ChatUpstream, streaming: boolean): Promise<Replayed> => {
  const collected = completionCollector();
  const { signal } = new AbortController();
  let batches = 0;
  try {
    if (!streaming) return { completion: await upstream.complete(request(), { signal }), failure: undefined, batches };
    for await (const batch of await upstream.stream(request(), { signal })) {
      batches += 1;
      batch.forEach(collected.take);
    }
    return { completion: collected.whole(), failure: undefined, batches };
  } catch (failure) {
    return { completion: collected.whole(), failure, batches };
  }
};

const thenTokens = (expected: Expected, { usage }: Completion): void => {
  if (expected.prompt_tokens === null) {
    expect(usage).to.equal(undefined);
    return;
  }
  if (usage === undefined) return expect.fail('the usage is missing');
  const written = expected.cache_write_tokens ?? 0;
  const reasoning = expected.reasoning_tokens ?? 0;
  const visible = (expected.completion_tokens ?? 0) - reasoning;
  expect(promptTokens(usage)).to.equal(expected.prompt_tokens);
  expect(cachedTokens(usage)).to.equal(expected.cached_tokens ?? 0);
  expect(visibleTokens(usage)).to.equal(visible);
  expect(usage).to.include({ inputCacheWrite: written, outputReasoning: reasoning, source: 'final' });
  if (typeof expected.cost_usd === 'number') expect(Number(usage.providerCost)).to.equal(expected.cost_usd);
  if (expected.web_searches !== undefined) expect(usage.webSearches).to.equal(expected.web_searches);
  if (expected.audio_tokens !== undefined) {
    expect((usage.inputAudio ?? 0) + (usage.inputAudioCached ?? 0)).to.equal(expected.audio_tokens);
  }
};

const thenFailed = ({ status, expected }: RecordedCase, failure: unknown): void => {
  if (!isUpstreamError(failure)) return expect.fail(`no failure of the provider: ${String(failure)}`);
  expect(failure.status).to.equal(status === 200 ? undefined : status);
  const { code = '', type = '', status: word = '' } = expected.error ?? {};
  if (code === 'insufficient_quota') expect(failure.kind).to.equal('quota');
  for (const told of [code, type, word]) expect(failure.providerMessage).to.include(String(told));
  expect(failure.providerMessage).to.not.include('sk-');
};

/** Some providers send arguments as JSON, not as its text: spaces and the order of members mean nothing then. */
const AS_JSON: ReadonlySet<string> = new Set(['anthropic', 'gemini']);

const thenCalls = ({ provider, expected }: RecordedCase, { toolCalls }: Completion): void => {
  const calls = expected.tool_calls ?? [];
  expect(toolCalls.map(({ name }) => name)).to.deep.equal(calls.map(({ name }) => name));
  calls.forEach((call, index) => {
    const made = toolCalls[index]!;
    if (call.id === null) expect(made.id).to.not.equal('');
    else expect(made.id).to.equal(call.id);
    if (AS_JSON.has(provider)) expect(JSON.parse(made.arguments)).to.deep.equal(JSON.parse(call.arguments));
    else expect(made.arguments).to.equal(call.arguments);
  });
  expect(new Set(toolCalls.map(({ id }) => id)).size).to.equal(calls.length);
};

/** The case came through as it was recorded. */
export const thenAsRecorded = (recorded: RecordedCase, { completion, failure }: Replayed): void => {
  const { expected } = recorded;
  if (expected.error !== undefined) {
    expect(completion.text).to.equal(expected.text ?? '');
    if (expected.reasoning_text !== undefined) expect(completion.reasoning).to.equal(expected.reasoning_text);
    return thenFailed(recorded, failure);
  }
  if (failure !== undefined) throw failure as Error;
  expect(completion.text).to.equal(expected.text);
  expect(completion.finish).to.equal(expected.finish_reason);
  if (expected.finish_reason_native !== undefined) expect(completion.native).to.equal(expected.finish_reason_native);
  thenCalls(recorded, completion);
  expect(completion.refusal).to.equal(expected.refusal ?? '');
  if (expected.reasoning_text !== undefined) expect(completion.reasoning).to.equal(expected.reasoning_text);
  thenTokens(expected, completion);
  // Older answers of Gemini have no id.
  if (recorded.provider !== 'gemini' || recorded.body.includes('"responseId"')) {
    expect(completion.upstreamId).to.not.equal('');
  }
};
