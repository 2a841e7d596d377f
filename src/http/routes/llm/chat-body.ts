import { z } from 'zod';
import type { CompletionOrder } from '../../../../commands/completions/completion-order.ts';
import type { ChatTask, ResponseFormat, Sampling, ToolChoice } from '../../../kernel/upstream.ts';
import { messagesOf } from './chat-messages.ts';
import { refuseAt } from './chat-parts.ts';

const tokens = z.int().min(1).max(4_294_967_295).nullish();
const number = (min: number, max: number) => z.number().min(min).max(max).nullish();
const schemaObject = z.record(z.string(), z.unknown());

/** No provider takes more; each is stricter in a way of its own. */
const functionName = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must be 1 to 128 letters, digits, underscores, hyphens, dots or colons');
const MOST_DESCRIPTION = 64 * 1024;
const MOST_PARAMETERS = 512 * 1024;

const tool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: functionName,
    description: z.string().max(MOST_DESCRIPTION).nullish(),
    parameters: schemaObject
      .refine(
        (schema) => JSON.stringify(schema).length <= MOST_PARAMETERS,
        `must have at most ${MOST_PARAMETERS} characters`,
      )
      .nullish(),
    strict: z.boolean().nullish(),
  }),
});

const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: z.string().min(1),
      schema: schemaObject,
      strict: z.boolean().nullish(),
      description: z.string().nullish(),
    }),
  }),
]);

const named = z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string().min(1) }) });

/** What is kept with the charge: no control characters, no halves of characters. */
const name = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'must be plain text');

/**
 * The body of a chat request. Messages are read by code of their own: they may hold a hundred megabytes of pictures, of
 * which no copy is made. Keys that are not named here mean nothing.
 */
export const chatBody = z.object({
  model: name,
  messages: z.array(z.unknown()).min(1),
  stream: z.boolean().nullish(),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  task_type: name.nullish(),
  system: z.string().nullish(),
  temperature: number(0, 2),
  top_p: number(0, 1),
  top_k: z.int().min(0).nullish(),
  frequency_penalty: number(-2, 2),
  presence_penalty: number(-2, 2),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  n: z.literal(1, 'one answer is all that can be asked for').nullish(),
  user: z.string().max(200).nullish(),
  tools: z.array(tool).max(512).nullish(),
  tool_choice: z.union([z.enum(['auto', 'none', 'required']), named]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  reasoning_effort: z.string().max(20).nullish(),
  reasoning: z
    .looseObject({ effort: z.string().max(20).nullish(), summary: z.string().max(20).nullish(), max_tokens: tokens })
    .nullish(),
  response_format: format.nullish(),
});

export type ChatBody = z.infer<typeof chatBody>;

type Optional<T> = { readonly [K in keyof T]: T[K] | null | undefined };

/** Only the members that were given. */
const given = <T extends object>(members: Optional<T>): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== undefined)) as T;

/** No words to stop at ask for nothing, and there are providers that refuse the very name. */
const stopOf = ({ stop }: ChatBody): readonly string[] | null | undefined => {
  if (typeof stop === 'string') return [stop];
  return stop?.length === 0 ? undefined : stop;
};

const samplingOf = (body: ChatBody): Sampling =>
  given<Sampling>({
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    seed: body.seed,
    stop: stopOf(body),
  });

const formatOf = (wanted: ChatBody['response_format']): ResponseFormat | undefined => {
  if (wanted === null || wanted === undefined) return undefined;
  if (wanted.type !== 'json_schema') return { type: wanted.type };
  const { name, schema, strict, description } = wanted.json_schema;
  return {
    type: 'json_schema',
    name,
    schema,
    ...given<{ strict?: boolean; description?: string }>({ strict, description }),
  };
};

const choiceOf = ({ tool_choice: choice, tools }: ChatBody): ToolChoice | null | undefined => {
  if (choice === 'required' && (tools ?? []).length === 0) return refuseAt('tool_choice', 'needs tools');
  if (typeof choice !== 'object' || choice === null) return choice;
  const { name } = choice.function;
  return tools?.some((offered) => offered.function.name === name) === true
    ? { name }
    : refuseAt('tool_choice', 'must name one of the tools');
};

const reasoningOf = ({ reasoning, reasoning_effort }: ChatBody): ChatTask['reasoning'] => {
  const effort = reasoning?.effort ?? reasoning_effort;
  const wanted = given<NonNullable<ChatTask['reasoning']>>({
    effort,
    summary: reasoning?.summary,
    budgetTokens: reasoning?.max_tokens,
  });
  return Object.keys(wanted).length === 0 ? undefined : wanted;
};

const taskOf = (body: ChatBody): ChatTask => {
  const messages = messagesOf(body.messages);
  return given<ChatTask>({
    messages:
      typeof body.system === 'string'
        ? [{ role: 'system', parts: [{ type: 'text', text: body.system }] }, ...messages]
        : messages,
    maxTokens: body.max_completion_tokens ?? body.max_tokens,
    sampling: samplingOf(body),
    tools: (body.tools ?? []).map(({ function: { name, description, parameters, strict } }) =>
      given<ChatTask['tools'][number]>({ name, description, parameters, strict }),
    ),
    toolChoice: choiceOf(body),
    parallelToolCalls: body.parallel_tool_calls,
    reasoning: reasoningOf(body),
    responseFormat: formatOf(body.response_format),
    user: body.user,
  });
};

/** What a body orders, in no provider's words. Throws DomainError `validation_error`. */
export const orderOf = (userId: string, body: ChatBody): CompletionOrder => ({
  userId,
  modelId: body.model,
  taskType: body.task_type ?? 'general',
  task: taskOf(body),
  streamed: body.stream ?? false,
});
