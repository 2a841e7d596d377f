import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatUpstream, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { twoLanguages } from '../shared/two-languages.ts';
import { xaiChatCodec, xaiResponsesCodec } from './xai-codecs.ts';

export type XaiOptions = Omit<UpstreamOptions, 'provider' | 'headers'> & Readonly<{ apiKey: string }>;

/** xAI: Chat Completions, and the Responses API when the model is to search the web. */
export const xaiUpstream = ({ apiKey, ...options }: XaiOptions): ChatUpstream =>
  chatUpstream(
    { ...options, provider: 'xai', headers: { authorization: `Bearer ${apiKey}` } },
    twoLanguages({
      usual: xaiChatCodec,
      other: xaiResponsesCodec,
      needsOther: ({ webMode }) => (webMode ? 'must' : 'no'),
      // A missing route has no code; a missing model has.
      isAboutRequest: ({ code }) => code !== '',
    }),
  );
