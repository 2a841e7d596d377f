import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatOrResponses } from '../openai/chat-or-responses.ts';
import { chatUpstream, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { xaiChatCodec, xaiResponsesCodec } from './xai-codecs.ts';

export type XaiOptions = Omit<UpstreamOptions, 'provider' | 'headers'> & Readonly<{ apiKey: string }>;

/** xAI: Chat Completions, and the Responses API when the model is to search the web. */
export const xaiUpstream = ({ apiKey, ...options }: XaiOptions): ChatUpstream =>
  chatUpstream(
    { ...options, provider: 'xai', headers: { authorization: `Bearer ${apiKey}` } },
    chatOrResponses(xaiChatCodec, xaiResponsesCodec, ({ webMode }) => webMode),
  );
