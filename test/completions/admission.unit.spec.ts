import { expect } from 'chai';
import { admit } from '../../commands/completions/admission.ts';
import type { CompletionOrder } from '../../commands/completions/completion-order.ts';
import { defaultCompletionPolicy } from '../../commands/completions/policy.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { ChatUpstream, UpstreamRequest } from '../../src/kernel/upstream.ts';
import { catalogue, order } from './given-completions.ts';
import { scriptedUpstream } from './scripted-upstream.ts';

type Providers = Readonly<Record<string, Partial<ChatUpstream>>>;

const MODEL = 'openai/gpt-4.1';

const asked: UpstreamRequest[] = [];
const listening: Partial<ChatUpstream> = {
  check: (request) => void asked.push(request),
};

/** Who would be asked for an order, in this order, with the model's name there. */
const whoIsAsked = async (
  over: Partial<CompletionOrder>,
  providers: Providers = { openai: {}, xai: {}, google: {}, openrouter: listening },
  offered = catalogue,
): Promise<readonly (readonly [string, string])[]> => {
  const upstreams = (provider: string): ChatUpstream | undefined => {
    const upstream = providers[provider];
    return upstream === undefined ? undefined : { ...scriptedUpstream([]), provider, ...upstream };
  };
  const deps = {
    catalogue: () => offered,
    upstreams,
    counter: { count: countTokens },
    policy: defaultCompletionPolicy,
  };
  const plan = await admit(deps, order('Hello', { modelId: MODEL, ...over }), 'b9a5ff4d-4a0a-4f0e-9f05-6d1f0b6d0c11');
  return plan.attempts.map(({ provider, model }) => [provider, model]);
};

describe('who is asked for a completion', () => {
  beforeEach(() => asked.splice(0));

  it('is the model’s own provider, then OpenRouter by its own name for it', async () => {
    expect(await whoIsAsked({})).to.deep.equal([
      ['openai', 'gpt-4.1'],
      ['openrouter', 'openai/gpt-4.1'],
    ]);
    expect(asked.map(({ model }) => model)).to.deep.equal(['openai/gpt-4.1']);
    expect(await whoIsAsked({ modelId: 'google/gemini-2.5-pro' })).to.have.length(2);
    expect(await whoIsAsked({ modelId: 'xai/grok-4' })).to.have.length(2);
  });

  it('carries what is done when it is left, and who can be asked afterwards', async () => {
    const lookUp = (): Promise<undefined> => Promise.resolve(undefined);
    const upstreams = (provider: string): ChatUpstream => ({
      ...scriptedUpstream([]),
      provider,
      ...(provider === 'openrouter' ? { lookUp } : {}),
    });
    const deps = {
      catalogue: () => catalogue,
      upstreams,
      counter: { count: countTokens },
      policy: defaultCompletionPolicy,
    };
    const { attempts } = await admit(deps, order('Hello', { modelId: 'google/gemini-2.5-pro' }), 'id');
    expect(attempts.map(({ disconnect, lookUp: found }) => [disconnect.policy, found])).to.deep.equal([
      ['drain', undefined],
      ['look_up', lookUp],
    ]);
  });

  for (const taskType of ['web_search_execution', 'implementation_plan_with_web']) {
    it(`is nobody else when the web is to be searched: ${taskType}`, async () => {
      expect(await whoIsAsked({ taskType })).to.deep.equal([['openai', 'gpt-4.1']]);
    });
  }

  it('is nobody else when the model has no name there', async () => {
    const models = catalogue.models.map((model) =>
      model.id === MODEL ? { ...model, mappings: { openai: 'gpt-4.1' } } : model,
    );
    expect(await whoIsAsked({}, undefined, { ...catalogue, models })).to.have.length(1);
    expect(await whoIsAsked({ modelId: 'sandbox/echo' }, { sandbox: {}, openrouter: {} })).to.have.length(1);
  });

  it('is nobody else when this server has no access there, or it is not offered', async () => {
    expect(await whoIsAsked({}, { openai: {} })).to.have.length(1);
    const providers = catalogue.providers.map((provider) =>
      provider.code === 'openrouter' ? { ...provider, status: 'inactive' as const } : provider,
    );
    expect(await whoIsAsked({}, undefined, { ...catalogue, providers })).to.have.length(1);
  });

  it('is nobody else when it cannot do quite the same', async () => {
    const check = (): never => {
      throw new DomainError('validation_error', 'not here');
    };
    expect(await whoIsAsked({}, { openai: {}, openrouter: { check } })).to.have.length(1);
    const document = {
      type: 'document',
      source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' },
    } as const;
    const task = { ...order('x').task, messages: [{ role: 'user' as const, parts: [document] }] };
    expect(await whoIsAsked({ task })).to.have.length(1);
  });

  it('is OpenRouter once for its own models', async () => {
    expect(await whoIsAsked({ modelId: 'moonshotai/kimi-k2' })).to.deep.equal([['openrouter', 'moonshotai/kimi-k2']]);
  });
});
