import type { ChatUpstream } from '../../../src/kernel/upstream.ts';
import { chatUpstream, type Surface, type UpstreamOptions } from '../shared/chat-upstream.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import { twoLanguages } from '../shared/two-languages.ts';
import { generationLookUp } from './generation-look-up.ts';
import { openRouterChatCodec, openRouterResponsesCodec } from './openrouter-codecs.ts';

export type OpenRouterOptions = Omit<UpstreamOptions, 'provider' | 'headers' | 'version'> &
  Readonly<{ apiKey: string }>;

/** It is not said which of the parameters nobody knows. */
const refuseWhole = (detail: string): never => {
  throw new DomainError('validation_error', detail);
};

const NOBODY_CAN = /no endpoints found that (?:can handle|support)/i;

/** Nobody who runs the model can do what the request asks for: that is the caller's to change. */
const tellingWhatNobodyCan = (surface: Surface): Surface => ({
  ...surface,
  insteadOf: (codec, refused, request) =>
    NOBODY_CAN.test(refused.message)
      ? refuseWhole(
          'nobody at openrouter runs this model with these parameters; leave some out or choose another model',
        )
      : surface.insteadOf(codec, refused, request),
});

/** OpenRouter, which has the model run by others. It can be asked afterwards what an answer used. */
export const openRouterUpstream = ({ apiKey, ...options }: OpenRouterOptions): ChatUpstream => {
  const reached: UpstreamOptions = {
    ...options,
    provider: 'openrouter',
    version: '/api/v1',
    headers: {
      authorization: `Bearer ${apiKey}`,
      'http-referer': 'https://plantocode.com',
      'x-title': 'PlanToCode',
    },
  };
  const upstream = chatUpstream(
    reached,
    tellingWhatNobodyCan(
      twoLanguages({
        usual: openRouterChatCodec,
        other: openRouterResponsesCodec,
        needsOther: () => 'no',
        // A missing route has no code; a missing model has.
        isAboutRequest: ({ code }) => code !== '',
      }),
    ),
  );
  const { lookUp, close } = generationLookUp(reached);
  return {
    ...upstream,
    lookUp,
    close: async () => {
      await Promise.all([upstream.close(), close()]);
    },
  };
};
