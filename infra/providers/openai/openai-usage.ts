import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { countOf, objectOf } from '../shared/json-members.ts';

/** Where an API of this family puts its numbers. */
type Names = Readonly<{ input: string; output: string; inputDetails: string; outputDetails: string }>;

const CHAT: Names = {
  input: 'prompt_tokens',
  output: 'completion_tokens',
  inputDetails: 'prompt_tokens_details',
  outputDetails: 'completion_tokens_details',
};

const RESPONSES: Names = {
  input: 'input_tokens',
  output: 'output_tokens',
  inputDetails: 'input_tokens_details',
  outputDetails: 'output_tokens_details',
};

/** A block of this family as an event; undefined when it is missing or makes no sense. */
export type UsageReader = (raw: unknown) => UpstreamEvent | undefined;

/** Cached tokens stand inside the prompt's and reasoning inside the output's: each is taken out, so none counts twice. */
const usageEvent = (names: Names, raw: unknown, complete: boolean): UpstreamEvent | undefined => {
  const block = objectOf(raw);
  const input = countOf(block[names.input]);
  const output = countOf(block[names.output]);
  if (input === undefined || output === undefined) return undefined;
  const inputDetails = objectOf(block[names.inputDetails]);
  const inputCachedRead = Math.min(input, countOf(inputDetails['cached_tokens']) ?? 0);
  const inputCacheWrite = Math.min(input - inputCachedRead, countOf(inputDetails['cache_write_tokens']) ?? 0);
  const reasoning = countOf(objectOf(block[names.outputDetails])['reasoning_tokens']) ?? 0;
  const outputReasoning = Math.min(output, reasoning);
  return {
    type: 'usage',
    usage: {
      inputUncached: input - inputCachedRead - inputCacheWrite,
      inputCachedRead,
      inputCacheWrite,
      outputVisible: output - outputReasoning,
      outputReasoning,
      source: 'final',
      complete,
    },
    raw,
  };
};

/** The usage block of Chat Completions; undefined when it is missing or makes no sense. */
export const chatUsage: UsageReader = (raw) => usageEvent(CHAT, raw, true);

/** The same where reasoning stands beside `completion_tokens`, unless the total says that it stands inside. */
export const chatUsageBesideReasoning: UsageReader = (raw) => {
  const block = objectOf(raw);
  const [input, output, total] = [CHAT.input, CHAT.output, 'total_tokens'].map((name) => countOf(block[name]));
  const reasoning = countOf(objectOf(block[CHAT.outputDetails])['reasoning_tokens']);
  if (input === undefined || output === undefined || reasoning === undefined || total === input + output) {
    return chatUsage(raw);
  }
  const event = chatUsage({ ...block, [CHAT.output]: output + reasoning });
  return event?.type === 'usage' ? { ...event, raw } : event;
};

/** The usage block of the Responses API. */
export const responsesUsage = (raw: unknown, complete: boolean): UpstreamEvent | undefined =>
  usageEvent(RESPONSES, raw, complete);
