import type { FinishReason, Usage } from './usage.ts';

/** Bytes that stand in the request, or a file that the provider already holds. */
export type MediaSource =
  Readonly<{ kind: 'base64'; mediaType: string; data: string }> | Readonly<{ kind: 'file'; fileId: string }>;

/** The caller wants everything up to here to be kept for the next request, where a provider has to be told so. */
type MayEndCache = Readonly<{ cachePoint?: true }>;

export type TextPart = MayEndCache & Readonly<{ type: 'text'; text: string }>;
export type ImagePart = MayEndCache & Readonly<{ type: 'image'; source: MediaSource; detail?: string }>;
export type DocumentPart = MayEndCache & Readonly<{ type: 'document'; source: MediaSource; fileName?: string }>;

/** A piece of a message's content. */
export type Part = TextPart | ImagePart | DocumentPart;

/**
 * A call of a function that the model asked for. `arguments` is the model's own JSON text; `signature`, where there is
 * one, seals the thoughts behind the call, and the provider wants it back with it.
 */
export type ToolCall = Readonly<{ id: string; name: string; arguments: string; signature?: string }>;

/** A thought that its provider wants back word for word when the conversation goes on after a call of a tool. */
export type Thought = Readonly<{
  kind: 'text' | 'summary' | 'encrypted';
  content: string;
  signature?: string;
  id?: string;
  /** Whose it is ('anthropic-claude-v1'); others cannot read it. */
  format?: string;
}>;

/** One turn of the conversation. */
export type ChatMessage =
  | Readonly<{ role: 'system' | 'developer' | 'user'; parts: readonly Part[] }>
  | Readonly<{
      role: 'assistant';
      parts: readonly Part[];
      toolCalls: readonly ToolCall[];
      thoughts?: readonly Thought[];
    }>
  | Readonly<{ role: 'tool'; toolCallId: string; parts: readonly Part[] }>;

/** A function that the model may ask for. `parameters` is a JSON schema. */
export type Tool = Readonly<{
  name: string;
  description?: string;
  parameters?: Readonly<Record<string, unknown>>;
  strict?: boolean;
}>;

export type ToolChoice = 'auto' | 'none' | 'required' | Readonly<{ name: string }>;

/** What shape the answer must have. */
export type ResponseFormat =
  | Readonly<{ type: 'text' | 'json_object' }>
  | Readonly<{
      type: 'json_schema';
      name: string;
      schema: Readonly<Record<string, unknown>>;
      strict?: boolean;
      description?: string;
    }>;

/** How the model picks its words. */
export type Sampling = Readonly<{
  temperature?: number;
  topP?: number;
  topK?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  stop?: readonly string[];
  seed?: number;
}>;

/** What a caller asks of a model, in no provider's words. */
export type ChatTask = Readonly<{
  messages: readonly ChatMessage[];
  maxTokens?: number;
  sampling: Sampling;
  tools: readonly Tool[];
  toolChoice?: ToolChoice;
  parallelToolCalls?: boolean;
  reasoning?: Readonly<{ effort?: string; summary?: string; budgetTokens?: number }>;
  responseFormat?: ResponseFormat;
  /** A name for the end user that the caller chose. */
  user?: string;
}>;

/** A task on its way to one provider. */
export type UpstreamRequest = ChatTask &
  Readonly<{
    requestId: string;
    /** The provider's own name of the model. */
    model: string;
    /** Let the model search the web. */
    webMode: boolean;
    /** Requests with the same are best sent with the same key, whose caches know them. Never sent itself. */
    affinity?: string;
  }>;

/** One step of an answer, in no provider's words. */
export type UpstreamEvent =
  | Readonly<{ type: 'started'; upstreamId: string; model: string }>
  | Readonly<{ type: 'text'; text: string }>
  | Readonly<{ type: 'refusal'; text: string }>
  | Readonly<{ type: 'reasoning'; text: string }>
  /** A piece of a tool call: the first of an index carries id and name, the pieces of `arguments` add up. */
  | Readonly<{ type: 'toolCall'; index: number; id?: string; name?: string; arguments: string; signature?: string }>
  /** A whole thought, to be sent back. What it says has been told as `reasoning` already. */
  | Readonly<{ type: 'thought'; thought: Thought }>
  /** The provider has searched the web once. */
  | Readonly<{ type: 'search' }>
  /** The last one counts. `raw` is the provider's own block. */
  | Readonly<{ type: 'usage'; usage: Usage; raw: unknown }>
  | Readonly<{ type: 'finish'; reason: FinishReason; native: string }>;

/** A whole answer. */
export type Completion = Readonly<{
  upstreamId: string;
  model: string;
  text: string;
  refusal: string;
  reasoning: string;
  thoughts: readonly Thought[];
  toolCalls: readonly ToolCall[];
  /** Undefined when the provider gave none, which is not zero. */
  usage: Usage | undefined;
  rawUsage: unknown;
  finish: FinishReason;
  native: string;
}>;

export type CallOptions = Readonly<{
  /** Cancels the call, whatever has become of it. */
  signal: AbortSignal;
  /** Nobody waits for the answer any more: a call that has not been sent yet is given up, one that was sent goes on. */
  unwanted?: AbortSignal;
}>;

/** What a provider says that an answer used, with its own block. */
export type UsageReport = Readonly<{ usage: Usage; raw: unknown }>;

/** Asks a provider what an answer used; undefined while it does not know yet. Failures are UpstreamErrors. */
export type UsageLookUp = (upstreamId: string, options: CallOptions) => Promise<UsageReport | undefined>;

/** The port to a provider of chat models. Every failure is an UpstreamError, but for what `check` throws. */
export type ChatUpstream = Readonly<{
  provider: string;
  /** Throws a DomainError when the request asks for something that the provider cannot do. */
  check?: (request: UpstreamRequest) => void;
  /**
   * Resolves when the provider has accepted the request. Yields batches: all that one network chunk held, or several
   * when the reader was slower than the network; reading stops when the reader does. Leaving the loop or aborting the
   * signal cancels the request at the provider.
   */
  stream: (request: UpstreamRequest, options: CallOptions) => Promise<AsyncIterable<readonly UpstreamEvent[]>>;
  /** The whole answer at once. */
  complete: (request: UpstreamRequest, options: CallOptions) => Promise<Completion>;
  /** Where the provider can be asked afterwards. */
  lookUp?: UsageLookUp;
  close: () => Promise<void>;
}>;

/** What went wrong at a provider, in our words. */
export type UpstreamFailure =
  | 'auth'
  | 'quota'
  | 'rate_limit'
  | 'invalid_request'
  | 'context_length'
  | 'not_found'
  | 'overloaded'
  | 'server'
  | 'timeout'
  | 'network'
  | 'protocol'
  | 'aborted';

/** A provider that failed. Nothing of it but `kind` and `status` is ever told to a caller. */
export class UpstreamError extends Error {
  readonly tag = 'UpstreamError';
  readonly provider: string;
  /** The HTTP status; undefined when there was none, or when the failure came inside a good answer. */
  readonly status: number | undefined;
  readonly kind: UpstreamFailure;
  readonly retryAfterMs: number | undefined;
  /** The provider's own words, cut and without keys, for logs. */
  readonly providerMessage: string;
  /** True when it is certain that the provider never saw the request. */
  readonly neverReached: boolean;

  constructor(
    failure: Readonly<{
      provider: string;
      kind: UpstreamFailure;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      providerMessage?: string;
      neverReached?: boolean;
      cause?: unknown;
    }>,
  ) {
    const status = failure.status === undefined ? '' : ` (${failure.status})`;
    super(`${failure.provider}: ${failure.kind}${status}`, failure.cause === undefined ? {} : { cause: failure.cause });
    this.name = 'UpstreamError';
    this.provider = failure.provider;
    this.kind = failure.kind;
    this.status = failure.status;
    this.retryAfterMs = failure.retryAfterMs;
    this.providerMessage = failure.providerMessage ?? '';
    this.neverReached = failure.neverReached ?? false;
  }
}

/** True for a provider's failure, also one made by another copy of this module. */
export const isUpstreamError = (error: unknown): error is UpstreamError =>
  error instanceof Error && 'tag' in error && error.tag === 'UpstreamError';

const PASSING: ReadonlySet<UpstreamFailure> = new Set(['rate_limit', 'overloaded', 'server', 'timeout', 'network']);
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 409, 429]);

/** True for a failure that is the provider's moment of weakness: not the request's fault, nor our account's. */
export const isPassingFailure = ({ status, kind }: UpstreamError): boolean =>
  PASSING.has(kind) && (status === undefined || PASSING_STATUS.has(status) || status >= 500);
