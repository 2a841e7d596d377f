import { anthropicUpstream } from '../../infra/providers/anthropic/anthropic-upstream.ts';
import { googleTranscription } from '../../infra/providers/google/google-transcription.ts';
import { googleUpstream } from '../../infra/providers/google/google-upstream.ts';
import { googleVideo } from '../../infra/providers/google/google-video.ts';
import { openAiTranscription } from '../../infra/providers/openai/openai-transcription.ts';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { sandboxTranscription } from '../../infra/providers/sandbox/sandbox-transcription.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { xaiUpstream } from '../../infra/providers/xai/xai-upstream.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TranscriptionUpstream, VideoUpstream } from '../kernel/media-upstream.ts';
import type { ChatUpstream } from '../kernel/upstream.ts';

type Deps = Readonly<{ config: Config; sandboxUrl: string | undefined; clock: Clock }>;

const OPENAI_URL = 'https://api.openai.com/v1';

type WithKey = (options: Readonly<{ apiKey: string; baseUrl: string; clock: Clock }>) => ChatUpstream;

/** A provider with one key: how it is reached, its key, its address and the one that stands in for none. */
const withOneKey = (
  config: Config,
): readonly (readonly [WithKey, string | undefined, string | undefined, string])[] => [
  [openAiUpstream, config.OPENAI_API_KEY, config.OPENAI_BASE_URL, OPENAI_URL],
  [anthropicUpstream, config.ANTHROPIC_API_KEY, config.ANTHROPIC_BASE_URL, 'https://api.anthropic.com/v1'],
  [xaiUpstream, config.XAI_API_KEY, config.XAI_BASE_URL, 'https://api.x.ai/v1'],
  [openRouterUpstream, config.OPENROUTER_API_KEY, config.OPENROUTER_BASE_URL, 'https://openrouter.ai/api/v1'],
];

const GOOGLE_URL = 'https://generativelanguage.googleapis.com/v1beta';

/** How Google is reached: with all keys, each once; undefined without any. */
const googleAccess = ({ GOOGLE_API_KEY, GOOGLE_API_KEYS = [], GOOGLE_BASE_URL = GOOGLE_URL }: Config) => {
  const given = GOOGLE_API_KEY === undefined ? GOOGLE_API_KEYS : [GOOGLE_API_KEY, ...GOOGLE_API_KEYS];
  const [first, ...others] = new Set(given);
  return first === undefined ? undefined : { apiKeys: [first, ...others] as const, baseUrl: GOOGLE_BASE_URL };
};

/** The adapters that this server has an address and a key for, by provider. */
export const upstreamsOf = ({ config, sandboxUrl, clock }: Deps): ReadonlyMap<string, ChatUpstream> => {
  const upstreams = withOneKey(config).flatMap(([make, apiKey, baseUrl, usual]) =>
    apiKey === undefined ? [] : [make({ apiKey, baseUrl: baseUrl ?? usual, clock })],
  );
  const google = googleAccess(config);
  if (google !== undefined) upstreams.push(googleUpstream({ ...google, clock }));
  if (sandboxUrl !== undefined) upstreams.push(sandboxUpstream({ baseUrl: sandboxUrl, clock }));
  return new Map(upstreams.map((upstream) => [upstream.provider, upstream]));
};

/** The adapters for sound and film. */
export const mediaUpstreamsOf = ({
  config,
  sandboxUrl,
  clock,
}: Deps): Readonly<{ transcriptions: readonly TranscriptionUpstream[]; videos: readonly VideoUpstream[] }> => {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl = OPENAI_URL } = config;
  const google = googleAccess(config);
  return {
    transcriptions: [
      ...(apiKey === undefined ? [] : [openAiTranscription({ apiKey, baseUrl, clock })]),
      ...(google === undefined ? [] : [googleTranscription({ ...google, clock })]),
      ...(sandboxUrl === undefined ? [] : [sandboxTranscription({ baseUrl: sandboxUrl, clock })]),
    ],
    videos: google === undefined ? [] : [googleVideo({ ...google, clock })],
  };
};
