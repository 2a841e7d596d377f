import type { Codec } from '../shared/codec.ts';
import { chatDecoder, decodeChat } from './chat-decode.ts';
import { chatRequest } from './chat-request.ts';

/** Chat Completions: the language that most compatible servers speak. */
export const chatCodec: Codec = {
  path: '/chat/completions',
  encode: (request, stream) => chatRequest(request, stream),
  decoder: (provider) => chatDecoder(provider),
  decode: (provider, json) => decodeChat(provider, json),
};
