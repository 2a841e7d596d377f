import type { TranscriptionRequest, TranscriptionUpstream } from '../../../src/kernel/media-upstream.ts';
import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { UpstreamOptions } from '../shared/chat-upstream.ts';
import { formBody } from '../shared/form-body.ts';
import { batchesOf, mediaLink } from '../shared/media-link.ts';
import { decodeTranscription, transcriptionDecoder } from './transcription-decode.ts';

const MOST_BYTES = 25 * 1024 * 1024;

const textsOf = ({ model, language, prompt, temperature, stream }: TranscriptionRequest): Record<string, string> => ({
  model,
  response_format: 'json',
  ...(language === undefined ? {} : { language }),
  ...(prompt === undefined ? {} : { prompt }),
  ...(temperature === undefined ? {} : { temperature: temperature.toString() }),
  ...(stream ? { stream: 'true' } : {}),
});

/** Tells the provider's own id of an answer before everything else: answers of this kind hold none. */
const named = async function* (
  upstreamId: string,
  model: string,
  batches: AsyncIterable<readonly UpstreamEvent[]>,
): AsyncGenerator<readonly UpstreamEvent[], undefined> {
  if (upstreamId !== '') yield [{ type: 'started', upstreamId, model }];
  yield* batches;
  return undefined;
};

/** Speech to text of a server that speaks like OpenAI. */
export const transcriptionLike = (options: UpstreamOptions): TranscriptionUpstream => {
  const link = mediaLink(options);
  const { provider } = options;
  return {
    provider,
    mostBytes: MOST_BYTES,
    transcribe: async (request, { signal }) => {
      const { requestId, file, model, stream } = request;
      const answer = await link.send({
        path: `${link.prefix}/audio/transcriptions`,
        body: formBody(textsOf(request), 'file', file),
        requestId,
        signal,
        stream,
      });
      const decoder = transcriptionDecoder(provider);
      const batches = await batchesOf(provider, answer, decoder, (json) => decodeTranscription(provider, json));
      const id = answer.headers['x-request-id'];
      return named(typeof id === 'string' ? id : '', model, batches);
    },
    close: link.close,
  };
};

/** Speech to text at OpenAI. */
export const openAiTranscription = ({
  apiKey,
  ...options
}: Omit<UpstreamOptions, 'provider' | 'headers'> & Readonly<{ apiKey: string }>): TranscriptionUpstream =>
  transcriptionLike({ ...options, provider: 'openai', headers: { authorization: `Bearer ${apiKey}` } });
