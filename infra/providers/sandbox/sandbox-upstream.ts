import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatCodec } from '../openai/chat-codec.ts';
import { chatUpstream, onlySurface, type UpstreamOptions } from '../shared/chat-upstream.ts';

/** The model on this machine. It asks for no key. */
export const sandboxUpstream = (options: Omit<UpstreamOptions, 'provider' | 'headers'>): ChatUpstream =>
  chatUpstream({ ...options, provider: 'sandbox', headers: {} }, onlySurface(chatCodec));
