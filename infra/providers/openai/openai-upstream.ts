import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import type { Codec } from '../shared/codec.ts';
import { chatUpstream, type Surface, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { chatCodec } from './chat-codec.ts';
import { responsesCodec } from './responses-codec.ts';

export type OpenAiOptions = Omit<UpstreamOptions, 'provider' | 'headers'> & Readonly<{ apiKey: string }>;

const NO_SUCH_ROUTE: ReadonlySet<number | undefined> = new Set([404, 405, 501]);

/**
 * The Responses API, until a server shows that it does not know it and does know Chat Completions. A refusal that names
 * a model is about the model, not about the route.
 */
const responsesOrChat = (): Surface => {
  let known: Codec = responsesCodec;
  return {
    codec: () => known,
    insteadOf: (codec, { error, code }) =>
      codec === responsesCodec && NO_SUCH_ROUTE.has(error.status) && !code.includes('model') ? chatCodec : undefined,
    understood: (codec) => {
      known = codec;
    },
  };
};

/** OpenAI, or a server that speaks like it. */
export const openAiUpstream = ({ apiKey, ...options }: OpenAiOptions): ChatUpstream =>
  chatUpstream({ ...options, provider: 'openai', headers: { authorization: `Bearer ${apiKey}` } }, responsesOrChat());
