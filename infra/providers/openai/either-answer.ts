import type { Codec } from '../shared/codec.ts';
import type { StreamDecoder } from '../shared/event-batches.ts';
import { objectOf, textOf } from '../shared/json-members.ts';
import { chatDecoder, decodeChat } from './chat-decode.ts';
import type { UsageReader } from './openai-usage.ts';
import { decodeResponse, responsesDecoder } from './responses-decode.ts';

/** Events of the Responses API carry their name; chunks of Chat Completions have none. */
const isResponsesEvent = (json: unknown): boolean => {
  const type = textOf(objectOf(json)['type']);
  return type === 'error' || type.startsWith('response.');
};

const isResponse = (json: unknown): boolean => {
  const { object, output } = objectOf(json);
  return object === 'response' || output !== undefined;
};

const eitherDecoder = (provider: string, usageOf: UsageReader): StreamDecoder => {
  let decoder: StreamDecoder | undefined;
  return {
    event: (json, out) => {
      decoder ??= isResponsesEvent(json) ? responsesDecoder(provider) : chatDecoder(provider, usageOf);
      return decoder.event(json, out);
    },
    end: (out, marked) => (decoder ?? chatDecoder(provider, usageOf)).end(out, marked),
  };
};

/** Reads answers of Chat Completions and of the Responses API, told apart by what they look like. */
export const readsEither = (usageOf: UsageReader): Pick<Codec, 'decoder' | 'decode'> => ({
  decoder: (provider) => eitherDecoder(provider, usageOf),
  decode: (provider, json) => (isResponse(json) ? decodeResponse(provider, json) : decodeChat(provider, json, usageOf)),
});
