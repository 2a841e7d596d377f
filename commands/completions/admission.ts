import type { Work } from '../../src/events/credit-account/credit-account.events.ts';
import { isWebTask, resolveModel, type Catalogue, type Resolved } from '../../src/kernel/catalogue.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { costOf } from '../../src/kernel/pricing.ts';
import { estimateTokens, promptTokensOf, type TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import type { ChatTask, ChatUpstream, UpstreamRequest } from '../../src/kernel/upstream.ts';
import type { CompletionOrder } from './completion-order.ts';
import { checkMedia } from './media-rules.ts';
import { marginFor, type CompletionPolicy } from './policy.ts';

export type AdmissionDeps = Readonly<{
  catalogue: () => Catalogue;
  /** The adapter of a provider; undefined when this server has no key for it. */
  upstreams: (provider: string) => ChatUpstream | undefined;
  counter: TokenCounter;
  policy: CompletionPolicy;
}>;

/** A request that may run, as soon as its money is on hold. */
export type Plan = Readonly<{
  requestId: string;
  userId: string;
  resolved: Resolved;
  upstream: ChatUpstream;
  request: UpstreamRequest;
  work: Work;
  /** Tokens of the prompt by our own count. */
  promptTokens: number;
  estimate: MicroUsd;
  margin: MicroUsd;
  streamed: boolean;
}>;

/** These providers tell a developer's words from the system's. */
const KNOW_DEVELOPERS: ReadonlySet<string> = new Set(['openai', 'xai', 'sandbox']);

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

const checkRoles = (provider: string, { messages }: ChatTask): void => {
  if (!messages.some(({ role }) => role === 'user' || role === 'assistant' || role === 'tool')) {
    throw new DomainError('validation_error', 'the conversation needs at least one message of the user');
  }
  if (!KNOW_DEVELOPERS.has(provider) && messages.some(({ role }) => role === 'developer')) {
    throw new DomainError('validation_error', `${provider} knows no developer messages; send them as system messages`);
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
    { details: { promptTokens, contextWindow: model.contextWindow } },
  );
};

/** Checks an order and works out what to hold for it. Throws DomainErrors; nothing is charged yet. */
export const admit = async (deps: AdmissionDeps, order: CompletionOrder, requestId: string): Promise<Plan> => {
  const { task, taskType, userId, streamed } = order;
  const resolved = resolve(deps.catalogue(), order.modelId);
  const { model, provider } = resolved;
  checkRoles(provider.code, task);
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
    resolved,
    upstream,
    request,
    work: { kind: 'chat', taskType, modelId: model.id, provider: provider.code, priceVersion, streamed },
    promptTokens,
    estimate,
    margin: marginFor(deps.policy, taskType, estimate),
    streamed,
  };
};
