import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { objectOf, type JsonObject } from '../shared/json-members.ts';
import { toldCost } from '../shared/told-cost.ts';
import { tokensOf, usageEvent } from '../shared/usage-split.ts';

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

/** Searches by the provider, under the names that the servers of this family have for them. */
const searchesOf = (block: JsonObject): number | undefined => {
  const places = [block['server_tool_use'], block['server_tool_use_details'], block['server_side_tool_usage_details']];
  for (const place of places) {
    const { web_search_requests: requests, web_search_calls: calls } = objectOf(place);
    const told = tokensOf(requests) ?? tokensOf(calls);
    if (told !== undefined) return told;
  }
  return undefined;
};

/** Cached tokens stand inside the prompt's and reasoning inside the output's: each is taken out, so none counts twice. */
const familyUsage = (names: Names, raw: unknown, complete: boolean, searches = 0): UpstreamEvent | undefined => {
  const block = objectOf(raw);
  const input = tokensOf(block[names.input]);
  const output = tokensOf(block[names.output]);
  if (input === undefined || output === undefined) return undefined;
  const inputDetails = objectOf(block[names.inputDetails]);
  const outputDetails = objectOf(block[names.outputDetails]);
  const counted = {
    input,
    cachedRead: tokensOf(inputDetails['cached_tokens']),
    cacheWrite: tokensOf(inputDetails['cache_write_tokens']),
    audio: tokensOf(inputDetails['audio_tokens']),
    audioCached: tokensOf(objectOf(inputDetails['cached_tokens_details'])['audio_tokens']),
    output,
    reasoning: tokensOf(outputDetails['reasoning_tokens']),
    audioOutput: tokensOf(outputDetails['audio_tokens']),
    webSearches: searchesOf(block) ?? searches,
    providerCost: toldCost(block),
    source: 'final' as const,
    complete,
  };
  return usageEvent(counted, raw);
};

/** The usage block of Chat Completions; undefined when it is missing or makes no sense. */
export const chatUsage: UsageReader = (raw) => familyUsage(CHAT, raw, true);

/** The same where reasoning stands beside `completion_tokens`, unless the total says that it stands inside. */
export const chatUsageBesideReasoning: UsageReader = (raw) => {
  const block = objectOf(raw);
  const [input, output, total] = [CHAT.input, CHAT.output, 'total_tokens'].map((name) => tokensOf(block[name]));
  const reasoning = tokensOf(objectOf(block[CHAT.outputDetails])['reasoning_tokens']);
  if (input === undefined || output === undefined || reasoning === undefined || total === input + output) {
    return chatUsage(raw);
  }
  const event = chatUsage({ ...block, [CHAT.output]: output + reasoning });
  return event?.type === 'usage' ? { ...event, raw } : event;
};

/** The usage block of the Responses API. `searches` is what was seen of them, for servers that do not count them. */
export const responsesUsage = (raw: unknown, complete: boolean, searches: number): UpstreamEvent | undefined =>
  familyUsage(RESPONSES, raw, complete, searches);
