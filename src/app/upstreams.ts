import { anthropicUpstream } from '../../infra/providers/anthropic/anthropic-upstream.ts';
import { googleUpstream } from '../../infra/providers/google/google-upstream.ts';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { xaiUpstream } from '../../infra/providers/xai/xai-upstream.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { ChatUpstream } from '../kernel/upstream.ts';

type Deps = Readonly<{ config: Config; sandboxUrl: string | undefined; clock: Clock }>;

type WithKey = (options: Readonly<{ apiKey: string; baseUrl: string; clock: Clock }>) => ChatUpstream;

/** A provider with one key: how it is reached, its key, its address and the one that stands in for none. */
const withOneKey = (
  config: Config,
): readonly (readonly [WithKey, string | undefined, string | undefined, string])[] => [
  [openAiUpstream, config.OPENAI_API_KEY, config.OPENAI_BASE_URL, 'https://api.openai.com/v1'],
  [anthropicUpstream, config.ANTHROPIC_API_KEY, config.ANTHROPIC_BASE_URL, 'https://api.anthropic.com/v1'],
  [xaiUpstream, config.XAI_API_KEY, config.XAI_BASE_URL, 'https://api.x.ai/v1'],
  [openRouterUpstream, config.OPENROUTER_API_KEY, config.OPENROUTER_BASE_URL, 'https://openrouter.ai/api/v1'],
];

const GOOGLE_URL = 'https://generativelanguage.googleapis.com/v1beta';

/** All keys for Google, each once. */
const googleKeys = ({ GOOGLE_API_KEY, GOOGLE_API_KEYS = [] }: Config): readonly string[] => [
  ...new Set([...(GOOGLE_API_KEY === undefined ? [] : [GOOGLE_API_KEY]), ...GOOGLE_API_KEYS]),
];

/** The adapters that this server has an address and a key for, by provider. */
export const upstreamsOf = ({ config, sandboxUrl, clock }: Deps): ReadonlyMap<string, ChatUpstream> => {
  const upstreams = withOneKey(config).flatMap(([make, apiKey, baseUrl, usual]) =>
    apiKey === undefined ? [] : [make({ apiKey, baseUrl: baseUrl ?? usual, clock })],
  );
  const [first, ...others] = googleKeys(config);
  if (first !== undefined) {
    const baseUrl = config.GOOGLE_BASE_URL ?? GOOGLE_URL;
    upstreams.push(googleUpstream({ apiKeys: [first, ...others], baseUrl, clock }));
  }
  if (sandboxUrl !== undefined) upstreams.push(sandboxUpstream({ baseUrl: sandboxUrl, clock }));
  return new Map(upstreams.map((upstream) => [upstream.provider, upstream]));
};
