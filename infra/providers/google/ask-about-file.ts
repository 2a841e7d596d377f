import type { MediaFile } from '../../../src/kernel/media-upstream.ts';
import type { CallOptions, UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { UpstreamOptions } from '../shared/chat-upstream.ts';
import { protocolError } from '../shared/failures.ts';
import { jsonWithFile } from '../shared/json-with-file.ts';
import { batchesOf, mediaLink, type LinkCall } from '../shared/media-link.ts';
import { googleFiles } from './files.ts';
import { decodeGenerated, generateDecoder } from './generate-decode.ts';
import { withKeys } from './key-ring.ts';

type Batches = AsyncIterable<readonly UpstreamEvent[]>;

/** A question about one file, for one of Google's models. */
export type FileQuestion = Readonly<{
  requestId: string;
  affinity?: string;
  model: string;
  file: MediaFile;
  stream: boolean;
  /** The JSON body around the part that holds or names the file. */
  body: (part: object) => unknown;
}>;

/** Asks about files. */
export type FileAsker = Readonly<{
  ask: (question: FileQuestion, options: CallOptions) => Promise<Batches>;
  close: () => Promise<void>;
}>;

type WithOneKey = Omit<FileAskerOptions, 'apiKeys'> & Readonly<{ apiKey: string }>;

export type FileAskerOptions = Omit<UpstreamOptions, 'provider' | 'headers' | 'version'> &
  Readonly<{
    /** Tried in turn when one is refused, limited or fails. */
    apiKeys: readonly [string, ...string[]];
    /** Milliseconds between two looks at a file that is being worked on. */
    pollMs?: number;
  }>;

const PROVIDER = 'google';
/** From this size on a file is handed over by itself. */
const MOST_INLINE = 19 * 1024 * 1024;

/** An answer without a word is none that anybody could use. */
const refuseEmpty = (events: readonly UpstreamEvent[]): void => {
  if (events.some((event) => event.type === 'text' && event.text.trim() !== '')) return;
  throw protocolError(PROVIDER, 'the answer is empty');
};

/** Calls `after` once, when the answer is over or given up. */
const followedBy = (batches: Batches, signal: AbortSignal, after: () => void): Batches => {
  let done = false;
  const over = (): void => {
    if (!done) after();
    done = true;
    signal.removeEventListener('abort', over);
  };
  signal.addEventListener('abort', over, { once: true });
  if (signal.aborted) over();
  const read = async function* (): AsyncGenerator<readonly UpstreamEvent[], undefined> {
    try {
      yield* batches;
    } finally {
      over();
    }
    return undefined;
  };
  return read();
};

const withOneKey = ({ apiKey, pollMs, ...options }: WithOneKey): FileAsker => {
  const link = mediaLink({
    ...options,
    provider: PROVIDER,
    version: '/v1beta',
    headers: { 'x-goog-api-key': apiKey },
  });
  const files = googleFiles(link, pollMs);

  const generate = async (
    { requestId, model, stream }: FileQuestion,
    { signal }: CallOptions,
    body: NonNullable<LinkCall['body']>,
  ): Promise<Batches> => {
    const call = stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
    const path = `${link.prefix}/models/${encodeURIComponent(model)}:${call}`;
    const answer = await link.send({ path, body, requestId, signal, stream });
    return batchesOf(PROVIDER, answer, generateDecoder(PROVIDER), (json) => {
      const events = decodeGenerated(PROVIDER, json);
      refuseEmpty(events);
      return events;
    });
  };

  const askInline = (question: FileQuestion, options: CallOptions): Promise<Batches> => {
    const { file, body } = question;
    const whole = jsonWithFile((data) => body({ inlineData: { mimeType: file.mediaType, data } }), file);
    return generate(question, options, whole);
  };

  const askHeld = async (question: FileQuestion, options: CallOptions): Promise<Batches> => {
    const { file, requestId, body } = question;
    const held = await files.upload(file, { requestId, signal: options.signal });
    const remove = (): void => files.remove(held, requestId);
    try {
      const json = body({ fileData: { mimeType: held.mediaType, fileUri: held.uri } });
      return followedBy(await generate(question, options, { json }), options.signal, remove);
    } catch (error) {
      remove();
      throw error;
    }
  };

  return {
    ask: (question, options) =>
      question.file.size < MOST_INLINE ? askInline(question, options) : askHeld(question, options),
    close: async () => {
      await files.settled();
      await link.close();
    },
  };
};

/**
 * Asks about files. Small ones go along with the question; large ones are handed over first and removed afterwards, with
 * the same key.
 */
export const fileAsker = ({ apiKeys: [first, ...others], ...options }: FileAskerOptions): FileAsker => {
  const askers = [
    withOneKey({ ...options, apiKey: first }),
    ...others.map((apiKey) => withOneKey({ ...options, apiKey })),
  ] as const;
  const around = withKeys(askers);
  return {
    ask: (question, call) => around(question, ({ ask }) => ask(question, call)),
    close: async () => {
      await Promise.all(askers.map(({ close }) => close()));
    },
  };
};
