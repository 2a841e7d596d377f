import { anthropicUpstream } from '../../infra/providers/anthropic/anthropic-upstream.ts';
import { googleUpstream } from '../../infra/providers/google/google-upstream.ts';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { xaiUpstream } from '../../infra/providers/xai/xai-upstream.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';

/** A provider at an address, one of its models, and the folders of its fixtures, that of its usual language first. */
export type GivenProvider = Readonly<{
  make: (baseUrl: string) => ChatUpstream;
  modelId: string;
  surfaces: readonly [string, ...string[]];
}>;

const clock = (): Date => new Date(0);

/** The five. */
export const givenProviders: Readonly<Record<string, GivenProvider>> = {
  openai: {
    make: (baseUrl) => openAiUpstream({ baseUrl, apiKey: 'test', clock }),
    modelId: 'openai/gpt-5-mini',
    surfaces: ['openai-responses', 'openai-chat'],
  },
  anthropic: {
    make: (baseUrl) => anthropicUpstream({ baseUrl, apiKey: 'test', clock }),
    modelId: 'anthropic/claude-sonnet-4-5-20250929',
    surfaces: ['anthropic'],
  },
  google: {
    make: (baseUrl) => googleUpstream({ baseUrl, apiKeys: ['test'], clock }),
    modelId: 'google/gemini-3-flash-preview',
    surfaces: ['gemini'],
  },
  xai: {
    make: (baseUrl) => xaiUpstream({ baseUrl, apiKey: 'test', clock }),
    modelId: 'xai/grok-4',
    surfaces: ['xai'],
  },
  openrouter: {
    make: (baseUrl) => openRouterUpstream({ baseUrl, apiKey: 'test', clock }),
    modelId: 'moonshotai/kimi-k2',
    surfaces: ['openrouter'],
  },
};
