import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatUpstream, onlySurface, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { generateCodec } from './generate-codec.ts';
import { keyRing } from './key-ring.ts';

export type GoogleOptions = Omit<UpstreamOptions, 'provider' | 'headers' | 'version'> &
  Readonly<{
    /** Tried in turn when one is refused, limited or fails. */
    apiKeys: readonly [string, ...string[]];
  }>;

/** The Gemini API. */
export const googleUpstream = ({ apiKeys, ...options }: GoogleOptions): ChatUpstream => {
  const withKey = (apiKey: string): ChatUpstream =>
    chatUpstream(
      { ...options, provider: 'google', version: '/v1beta', headers: { 'x-goog-api-key': apiKey } },
      onlySurface(generateCodec),
    );
  const [first, ...others] = apiKeys;
  return keyRing([withKey(first), ...others.map(withKey)]);
};
