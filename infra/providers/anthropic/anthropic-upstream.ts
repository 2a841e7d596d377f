import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatUpstream, onlySurface, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { messagesCodec } from './messages-codec.ts';

export type AnthropicOptions = Omit<UpstreamOptions, 'provider' | 'headers'> & Readonly<{ apiKey: string }>;

const VERSION = '2023-06-01';

/** Anthropic's own API. */
export const anthropicUpstream = ({ apiKey, ...options }: AnthropicOptions): ChatUpstream =>
  chatUpstream(
    { ...options, provider: 'anthropic', headers: { 'x-api-key': apiKey, 'anthropic-version': VERSION } },
    onlySurface(messagesCodec),
  );
