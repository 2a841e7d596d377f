import type { Codec } from '../shared/codec.ts';
import { chatDecoder, decodeChat } from './chat-decode.ts';
import { chatRequest } from './chat-request.ts';

/** Chat Completions: the language that most compatible servers speak. */
export const chatCodec: Codec = {
  path: '/chat/completions',
  encode: chatRequest,
  decoder: chatDecoder,
  decode: decodeChat,
};
