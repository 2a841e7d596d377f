import { isWebTask, resolveModel, type Catalogue, type Provider, type Resolved } from '../../src/kernel/catalogue.ts';
import { DomainError, isDomainError } from '../../src/kernel/errors.ts';
import { costOf } from '../../src/kernel/pricing.ts';
import { estimateTokens, promptTokensOf, type TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import type { ChatTask, ChatUpstream, UpstreamRequest } from '../../src/kernel/upstream.ts';
import type { CompletionOrder } from './completion-order.ts';
import { checkMedia } from './media-rules.ts';
import type { Attempt, Plan } from './plan.ts';
import { marginFor, type CompletionPolicy } from './policy.ts';
import { CONTEXT_EXCEEDED } from './upstream-refusal.ts';

export type AdmissionDeps = Readonly<{
  catalogue: () => Catalogue;
  /** The adapter of a provider; undefined when this server has no key for it. */
  upstreams: (provider: string) => ChatUpstream | undefined;
  counter: TokenCounter;
  policy: CompletionPolicy;
}>;

const resolve = (catalogue: Catalogue, modelId: string): Resolved => {
  const resolved = resolveModel(catalogue, modelId);
  if (resolved === undefined) {
    throw new DomainError('not_found', `there is no model '${modelId.slice(0, 100)}'; GET /api/models lists them`);
  }
  if (resolved.model.modelType === 'transcription') {
    throw new DomainError('bad_request', `${modelId} turns speech into text; send it to /api/audio/transcriptions`);
  }
  return resolved;
};

const checkRoles = ({ messages }: ChatTask): void => {
  if (!messages.some(({ role }) => role === 'user' || role === 'assistant' || role === 'tool')) {
    throw new DomainError('validation_error', 'the conversation needs at least one message of the user', {
      details: { param: 'messages' },
    });
  }
};

const upstreamFor = (deps: AdmissionDeps, provider: string): ChatUpstream => {
  const upstream = deps.upstreams(provider);
  if (upstream !== undefined) return upstream;
  throw new DomainError('configuration_error', `this server has no access to ${provider}; choose another model`);
};

const checkContext = ({ model }: Resolved, promptTokens: number): void => {
  if (model.contextWindow === 0 || promptTokens <= model.contextWindow) return;
  throw new DomainError(
    'bad_request',
    `context window exceeded: the prompt has about ${promptTokens} tokens and ${model.id} reads ${model.contextWindow}; ` +
      'shorten it or choose a model with a longer context',
    { details: { ...CONTEXT_EXCEEDED, promptTokens, contextWindow: model.contextWindow } },
  );
};

const attemptOf = (upstream: ChatUpstream, { code, disconnect }: Provider, request: UpstreamRequest): Attempt => ({
  provider: code,
  model: request.model,
  disconnect,
  call: (options) => upstream.stream(request, options),
  ...(upstream.lookUp === undefined ? {} : { lookUp: upstream.lookUp }),
});

const FALLBACK = 'openrouter';

/** True when nothing of this is refused. */
const passes = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch (error) {
    if (isDomainError(error)) return false;
    throw error;
  }
};

/** The same request at the one who offers other providers' models too; none when it would not be quite the same. */
const fallbacksOf = (
  deps: AdmissionDeps,
  { model, provider }: Resolved,
  request: UpstreamRequest,
): readonly Attempt[] => {
  if (provider.code === FALLBACK || request.webMode) return [];
  const name = model.mappings[FALLBACK];
  const other = deps.catalogue().providers.find(({ code, status }) => code === FALLBACK && status === 'active');
  const upstream = deps.upstreams(FALLBACK);
  if (name === undefined || other === undefined || upstream === undefined) return [];
  const asked: UpstreamRequest = { ...request, model: name };
  const isSame = passes(() => {
    upstream.check?.(asked);
    checkMedia(FALLBACK, model, request);
  });
  return isSame ? [attemptOf(upstream, other, asked)] : [];
};

/** Checks an order and works out what to hold for it. Throws DomainErrors; nothing is charged yet. */
export const admit = async (deps: AdmissionDeps, order: CompletionOrder, requestId: string): Promise<Plan> => {
  const { task, taskType, userId, streamed } = order;
  const resolved = resolve(deps.catalogue(), order.modelId);
  const { model, provider } = resolved;
  checkRoles(task);
  checkMedia(provider.code, model, task);
  const upstream = upstreamFor(deps, provider.code);
  const request: UpstreamRequest = {
    ...task,
    requestId,
    model: resolved.upstreamModel,
    webMode: isWebTask(taskType),
    affinity: userId,
  };
  upstream.check?.(request);
  const counted = promptTokensOf(deps.counter, task);
  // A short prompt is counted at once; only a long one is worth another turn of the event loop.
  const promptTokens = typeof counted === 'number' ? counted : await counted;
  checkContext(resolved, promptTokens);
  const { contextWindow, estimation, price, priceVersion } = model;
  const tokens = estimateTokens(promptTokens, { maxTokens: task.maxTokens, contextWindow, estimation });
  const usage = { inputUncached: tokens.input, inputCachedRead: 0, inputCacheWrite: 0, outputReasoning: 0 };
  const { cost: estimate } = costOf(
    { ...usage, outputVisible: tokens.output, source: 'counted', complete: true },
    price,
  );
  return {
    requestId,
    userId,
    modelId: model.id,
    work: { kind: 'chat', taskType, modelId: model.id, provider: provider.code, priceVersion, streamed },
    price,
    promptTokens,
    estimate,
    margin: marginFor(deps.policy, taskType, estimate),
    attempts: [attemptOf(upstream, provider, request), ...fallbacksOf(deps, resolved, request)],
  };
};
