import type { Codec } from '../shared/codec.ts';
import { decodeGenerated, generateDecoder } from './generate-decode.ts';
import { checkGenerate } from './generate-limits.ts';
import { generateRequest } from './generate-request.ts';

/** generateContent of the Gemini API; the model stands in the path. */
export const generateCodec: Codec = {
  path: ({ model }, stream) =>
    `/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  check: checkGenerate,
  encode: generateRequest,
  decoder: generateDecoder,
  decode: decodeGenerated,
};
