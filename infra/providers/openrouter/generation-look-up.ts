import type { UsageLookUp, UsageReport } from '../../../src/kernel/upstream.ts';
import { baseUrlOf } from '../shared/base-url.ts';
import type { UpstreamOptions } from '../shared/chat-upstream.ts';
import { connectionsTo } from '../shared/connections.ts';
import { objectOf } from '../shared/json-members.ts';
import { post, type Patience } from '../shared/post.ts';
import { readJson, readRefusal } from '../shared/read-json.ts';
import { toldCost } from '../shared/told-cost.ts';
import { tokensOf, usageEvent } from '../shared/usage-split.ts';

const NOT_KNOWN_YET = 404;
/** One answer to one question; the caller asks again. */
const PATIENCE: Patience = { headersMs: 5_000, idleMs: 5_000, totalMs: 5_000 };

/**
 * What a generation used, by the counts of whoever ran the model, which are the ones that are billed; by OpenRouter's own
 * where those are missing. Undefined while they are not there, or when they make no sense.
 */
export const generationUsage = (json: unknown): UsageReport | undefined => {
  const data = objectOf(objectOf(json)['data']);
  const input = tokensOf(data['native_tokens_prompt']) ?? tokensOf(data['tokens_prompt']);
  const output = tokensOf(data['native_tokens_completion']) ?? tokensOf(data['tokens_completion']);
  if (input === undefined || output === undefined) return undefined;
  const counted = {
    input,
    cachedRead: tokensOf(data['native_tokens_cached']),
    output,
    reasoning: tokensOf(data['native_tokens_reasoning']),
    providerCost: toldCost({ cost: data['total_cost'] }),
    source: 'looked_up' as const,
    complete: data['cancelled'] !== true,
  };
  const event = usageEvent(counted, data);
  return event?.type === 'usage' ? { usage: event.usage, raw: event.raw } : undefined;
};

/** Asks OpenRouter what a generation used, on connections of its own. */
export const generationLookUp = (
  options: UpstreamOptions,
): Readonly<{ lookUp: UsageLookUp; close: () => Promise<void> }> => {
  const { provider, clock, headers } = options;
  const { origin, prefix } = baseUrlOf(options.baseUrl, options.version);
  const dispatcher = connectionsTo(origin, options.connectMs);
  return {
    lookUp: async (upstreamId, { signal }) => {
      const answer = await post(dispatcher, {
        provider,
        method: 'GET',
        path: `${prefix}/generation?id=${encodeURIComponent(upstreamId)}`,
        headers: { ...headers, accept: 'application/json' },
        signal,
        patience: PATIENCE,
      });
      if (answer.status < 300) return generationUsage(await readJson(provider, answer));
      const { error } = await readRefusal(provider, answer, clock());
      if (error.status === NOT_KNOWN_YET) return undefined;
      throw error;
    },
    close: () => dispatcher.destroy(),
  };
};
