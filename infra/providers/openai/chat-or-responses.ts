import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import type { Surface } from '../shared/chat-upstream.ts';
import type { Codec } from '../shared/codec.ts';

const NO_SUCH_ROUTE: ReadonlySet<number | undefined> = new Set([404, 405, 501]);

/**
 * Chat Completions, and the Responses API for requests that need it; for all from when a server shows that it knows
 * nothing else. A refusal with a code is about the request, not about the route.
 */
export const chatOrResponses = (
  chat: Codec,
  responses: Codec,
  needsResponses: (request: UpstreamRequest) => boolean,
): Surface => {
  let chatIsMissing = false;
  let known = chat;
  return {
    codec: (request) => (needsResponses(request) ? responses : known),
    insteadOf: (codec, { error, code }) => {
      if (codec !== chat || code !== '' || !NO_SUCH_ROUTE.has(error.status)) return undefined;
      chatIsMissing = true;
      return responses;
    },
    understood: (codec) => {
      if (codec === responses && chatIsMissing) known = responses;
    },
  };
};
