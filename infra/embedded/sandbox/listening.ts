import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import { countTokens } from '../../tokenizer/count-tokens.ts';

/** What was sent to be written down. */
type Recording = Readonly<{ bytes: number; hash: Buffer; texts: ReadonlyMap<string, string> }>;

/** Tokens that a transcription took. */
export type Listened = Readonly<{ inputTokens: number; outputTokens: number }>;

const WORDS =
  'amber birch cedar delta ember field grove harbor island juniper kettle lantern meadow north orchard pebble ' +
  'quarry river summit timber umber valley willow yarrow acorn breeze copper drift eagle fern garnet hollow';
const SPOKEN = 8;
const BYTES_A_SECOND = 32_000;
const TOKENS_A_SECOND = 10;

/** Reads a form; undefined when it is none or holds no file. Keeps nothing of the file. */
const recordingIn = async (request: IncomingMessage): Promise<Recording | undefined> => {
  const hash = createHash('sha256');
  const texts = new Map<string, string>();
  let bytes = 0;
  let files = 0;
  try {
    const contentType = request.headers['content-type'] ?? '';
    const form = new Busboy({ headers: { ...request.headers, 'content-type': contentType } });
    form.on('field', (name, value) => texts.set(name, value));
    form.on('file', (_name, file) => {
      files += 1;
      file.on('data', (piece: Buffer) => {
        bytes += piece.length;
        hash.update(piece);
      });
    });
    await pipeline(request, form);
  } catch {
    return undefined;
  }
  return files === 1 ? { bytes, hash: hash.digest(), texts } : undefined;
};

/** Says the same of the same recording, always. */
const wordsOf = ({ bytes, hash }: Recording): readonly string[] => {
  const words = WORDS.split(' ');
  const said = [...hash.subarray(0, SPOKEN)].map((byte) => words[byte % words.length] ?? '');
  return `A recording of ${bytes} bytes says: ${said.join(' ')}.`.split(/(?= )/);
};

const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

/** Answers a call of OpenAI's for transcriptions, at once or piece by piece. Undefined when it was refused. */
export const listen = async (request: IncomingMessage, response: ServerResponse): Promise<Listened | undefined> => {
  const recording = await recordingIn(request);
  if (recording === undefined) {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: 'A form with one file is needed.', type: 'sandbox_error' } }));
    return undefined;
  }
  const words = wordsOf(recording);
  const text = words.join('');
  const inputTokens = Math.max(1, Math.ceil(recording.bytes / BYTES_A_SECOND)) * TOKENS_A_SECOND;
  const outputTokens = countTokens(text);
  const usage = {
    type: 'tokens',
    input_tokens: inputTokens,
    input_token_details: { text_tokens: 0, audio_tokens: inputTokens },
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  };
  if (recording.texts.get('stream') === 'true') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of words) response.write(frame({ type: 'transcript.text.delta', delta: word }));
    response.end(frame({ type: 'transcript.text.done', text, usage }));
  } else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ text, usage }));
  }
  return { inputTokens, outputTokens };
};
