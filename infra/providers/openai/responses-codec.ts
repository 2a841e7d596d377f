import type { Codec } from '../shared/codec.ts';
import { checkOpenAi } from './openai-limits.ts';
import { decodeResponse, responsesDecoder } from './responses-decode.ts';
import { responsesRequest } from './responses-request.ts';

/** The Responses API as OpenAI speaks it. */
export const responsesCodec: Codec = {
  path: '/responses',
  check: checkOpenAi,
  encode: responsesRequest,
  decoder: responsesDecoder,
  decode: decodeResponse,
};
