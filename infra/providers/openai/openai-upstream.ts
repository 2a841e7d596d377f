import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatUpstream, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { twoLanguages } from '../shared/two-languages.ts';
import { openAiChatCodec } from './chat-codec.ts';
import { suitsChat } from './openai-limits.ts';
import { responsesCodec } from './responses-codec.ts';

export type OpenAiOptions = Omit<UpstreamOptions, 'provider' | 'headers'> & Readonly<{ apiKey: string }>;

/** OpenAI, or a server that speaks like it: the Responses API, and Chat Completions for what only they can do. */
export const openAiUpstream = ({ apiKey, ...options }: OpenAiOptions): ChatUpstream =>
  chatUpstream(
    { ...options, provider: 'openai', headers: { authorization: `Bearer ${apiKey}` } },
    twoLanguages({
      usual: responsesCodec,
      other: openAiChatCodec,
      needsOther: (request) => (suitsChat(request) ? 'rather' : 'no'),
      isAboutRequest: ({ code }) => code.includes('model'),
    }),
  );
