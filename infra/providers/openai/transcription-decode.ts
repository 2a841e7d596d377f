import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { StreamDecoder } from '../shared/event-batches.ts';
import { inBandError, protocolError } from '../shared/failures.ts';
import { objectOf, textOf, type JsonObject } from '../shared/json-members.ts';
import { transcriptionUsage } from './transcription-usage.ts';

const ended = (json: JsonObject, out: UpstreamEvent[]): void => {
  const usage = transcriptionUsage(json['usage']);
  if (usage !== undefined) out.push(usage);
  out.push({ type: 'finish', reason: 'stop', native: '' });
};

/** The events of a transcription that came at once. Throws UpstreamError. */
export const decodeTranscription = (provider: string, value: unknown): readonly UpstreamEvent[] => {
  const json = objectOf(value);
  if (json['error'] !== undefined && json['error'] !== null) throw inBandError(provider, json);
  const { text } = json;
  if (typeof text !== 'string') throw protocolError(provider, 'the transcription has no text');
  const out: UpstreamEvent[] = text === '' ? [] : [{ type: 'text', text }];
  ended(json, out);
  return out;
};

/** Reads the events of a transcription that is streamed. */
export const transcriptionDecoder = (provider: string): StreamDecoder => {
  let spoken = false;
  let whole = false;

  const say = (text: string, out: UpstreamEvent[]): void => {
    if (text === '') return;
    spoken = true;
    out.push({ type: 'text', text });
  };

  return {
    event: (value, out) => {
      const json = objectOf(value);
      const type = textOf(json['type']);
      if (type === 'error' || (json['error'] !== undefined && json['error'] !== null))
        throw inBandError(provider, json);
      if (type === 'transcript.text.delta') say(textOf(json['delta']), out);
      if (type !== 'transcript.text.done') return false;
      // The last event repeats the whole text.
      if (!spoken) say(textOf(json['text']), out);
      ended(json, out);
      whole = true;
      return true;
    },
    end: () => {
      if (!whole) throw protocolError(provider, 'the answer was cut off');
    },
  };
};
