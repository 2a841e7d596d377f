import { z } from 'zod';
import type { CompletionOrder } from '../../../../commands/completions/completion-order.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { chatBody, orderOf } from '../llm/chat-body.ts';
import { refuseParam, type ParamFault } from './refuse-param.ts';
import { refuseUnsupported } from './unsupported.ts';
import { plainMessages } from './v1-messages.ts';

/** What OpenAI's clients send and providers can be told. The rest is in unsupported.ts. */
const v1Body = chatBody.omit({ task_type: true, system: true, top_k: true, reasoning: true }).extend({
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  stream_options: z
    .looseObject({
      include_usage: z.boolean().nullish(),
      include_obfuscation: z.literal(false, 'padding of the stream is not supported; leave it out').nullish(),
    })
    .nullish(),
});

type V1Body = z.infer<typeof v1Body>;

/** What a caller orders, and whether the stream is to tell the usage. */
export type V1Order = Readonly<{ order: CompletionOrder; includeUsage: boolean }>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at the place of an issue, to tell a missing one from a wrong one. */
const valueAt = (body: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (isObject(value) || Array.isArray(value) ? Reflect.get(value, key) : undefined),
    body,
  );

const faultOf = (issue: z.core.$ZodIssue, isMissing: boolean): ParamFault => {
  if (isMissing) return 'missing_required_parameter';
  return issue.code === 'invalid_type' ? 'invalid_type' : 'invalid_value';
};

const refuseIssue = (body: unknown, issue: z.core.$ZodIssue): never => {
  const param = issue.path.map(String).join('.');
  const isMissing = valueAt(body, issue.path) === undefined;
  return refuseParam(
    param,
    faultOf(issue, isMissing),
    isMissing ? `Missing required parameter: '${param}'.` : `Invalid '${param}': ${issue.message}.`,
  );
};

const refuseTogether = ({ max_tokens, max_completion_tokens, stream, stream_options }: V1Body): void => {
  if (typeof max_tokens === 'number' && typeof max_completion_tokens === 'number') {
    refuseParam('max_tokens', 'invalid_value', "Send 'max_tokens' or 'max_completion_tokens', not both.");
  }
  if (stream !== true && isObject(stream_options)) {
    refuseParam('stream_options', 'invalid_value', "'stream_options' is only allowed when 'stream' is true.");
  }
};

/**
 * Reads a body as strictly as OpenAI does: whatever is not known or cannot be done is refused by name. Throws
 * DomainErrors `bad_request` and `validation_error`, the latter with `param` and `code` in its details.
 */
export const readOrder = (userId: string, body: unknown): V1Order => {
  if (!isObject(body)) throw new DomainError('bad_request', 'the body must be a JSON object with model and messages');
  refuseUnsupported(body, v1Body.shape);
  const parsed = v1Body.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue !== undefined) return refuseIssue(body, issue);
    throw parsed.error;
  }
  const chat = parsed.data;
  refuseTogether(chat);
  const order = orderOf(userId, { ...chat, messages: [...plainMessages(chat.messages)] });
  return { order, includeUsage: chat.stream_options?.include_usage === true };
};
