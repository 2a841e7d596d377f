import type { Codec } from '../shared/codec.ts';
import { decodeResponse, responsesDecoder } from './responses-decode.ts';
import { responsesRequest } from './responses-request.ts';

/** The Responses API. */
export const responsesCodec: Codec = {
  path: '/responses',
  encode: responsesRequest,
  decoder: responsesDecoder,
  decode: decodeResponse,
};
