import type { TranscriptionUpstream } from '../../../src/kernel/media-upstream.ts';
import { transcriptionLike } from '../openai/openai-transcription.ts';
import type { UpstreamOptions } from '../shared/chat-upstream.ts';

/** The model on this machine that says of each recording which one it is. It asks for no key. */
export const sandboxTranscription = (options: Omit<UpstreamOptions, 'provider' | 'headers'>): TranscriptionUpstream =>
  transcriptionLike({ ...options, provider: 'sandbox', headers: {} });
