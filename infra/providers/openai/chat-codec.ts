import type { Codec } from '../shared/codec.ts';
import { chatDecoder, decodeChat } from './chat-decode.ts';
import { checkChat, checkOpenAi } from './openai-limits.ts';
import { reasons } from './model-traits.ts';
import { chatRequest } from './chat-request.ts';

/** Chat Completions: the language that most compatible servers speak. */
export const chatCodec: Codec = {
  path: '/chat/completions',
  check: checkChat,
  encode: (request, stream) => chatRequest(request, stream),
  decoder: (provider) => chatDecoder(provider),
  decode: (provider, json) => decodeChat(provider, json),
};

/** Chat Completions as OpenAI speaks them: a model that does not reason is told nothing of it, not even to do without. */
export const openAiChatCodec: Codec = {
  ...chatCodec,
  check: (request) => {
    checkOpenAi(request);
    checkChat(request);
  },
  encode: (request, stream) => {
    const { reasoning, ...rest } = request;
    return chatRequest(reasons(request.model) || reasoning === undefined ? request : rest, stream);
  },
};
