import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What a recording is known to hold. */
export type Expected = Readonly<{
  text: string | null;
  finish_reason: string;
  finish_reason_native?: string;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  cached_tokens: number | null;
  cache_write_tokens: number | null;
  reasoning_tokens: number | null;
  /** What OpenRouter says that it cost. */
  cost_usd?: number | null;
  /** Of our own fixtures only. */
  web_searches?: number;
  audio_tokens?: number;
  /** Some providers give calls no id. */
  tool_calls?: readonly Readonly<{ id: string | null; name: string; arguments: string }>[];
  refusal?: string;
  reasoning_text?: string;
  error?: Readonly<{ type?: string; code?: string | number; status?: string; message: string }>;
}>;

export type RecordedCase = Readonly<{
  provider: string;
  name: string;
  status: number;
  streaming: boolean;
  contentType: string;
  body: Buffer;
  expected: Expected;
}>;

type Meta = Readonly<{ status: number; streaming: boolean; stream_format?: string; expected: Expected }>;

const folder = resolve(
  process.env['RECORDINGS_DIR'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'recordings'),
);
const own = join(import.meta.dirname, '..', 'fixtures', 'providers');

/** One recording holds the answers of several turns in one file; what is expected is of the last. */
const lastAnswerOf = (body: Buffer): Buffer => {
  const from = body.lastIndexOf('event: response.created\n');
  return from > 0 ? body.subarray(from) : body;
};

const readCases = (root: string, provider: string): readonly RecordedCase[] => {
  const home = join(root, provider);
  if (!existsSync(home)) return [];
  return readdirSync(home).map((name) => {
    const path = (file: string): string => join(home, name, file);
    const meta = JSON.parse(readFileSync(path('meta.json'), 'utf8')) as Meta;
    const streamed = existsSync(path('stream.txt'));
    return {
      provider,
      name,
      status: meta.status,
      streaming: meta.streaming,
      contentType:
        streamed && meta.stream_format !== 'json-array' ? 'text/event-stream; charset=utf-8' : 'application/json',
      body: lastAnswerOf(readFileSync(path(streamed ? 'stream.txt' : 'response.json'))),
      expected: meta.expected,
    };
  });
};

/** True when the recordings lie on this machine. */
export const haveRecordings = existsSync(folder);

/** Our own fixtures of a provider. */
export const ownCasesOf = (provider: string): readonly RecordedCase[] => readCases(own, provider);

/** Our own fixtures, and the recorded cases of a provider when they lie on this machine. */
export const casesOf = (provider: string): readonly RecordedCase[] => [
  ...ownCasesOf(provider),
  ...readCases(folder, provider),
];
