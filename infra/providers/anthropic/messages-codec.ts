import type { Codec } from '../shared/codec.ts';
import { hasFiles, partsOf } from '../shared/refusals.ts';
import { decodeMessage, messagesDecoder } from './messages-decode.ts';
import { checkMessages } from './messages-limits.ts';
import { messagesRequest } from './messages-request.ts';

const FILES: Readonly<Record<string, string>> = { 'anthropic-beta': 'files-api-2025-04-14' };

/** The Messages API. */
export const messagesCodec: Codec = {
  path: '/messages',
  headers: (request) => (hasFiles(partsOf(request)) ? FILES : {}),
  check: checkMessages,
  encode: messagesRequest,
  decoder: messagesDecoder,
  decode: decodeMessage,
};
