import { UpstreamError } from '../../../src/kernel/upstream.ts';
import { errorBodyOf, failureKind, protocolError, wordsOf } from './failures.ts';
import type { Answer } from './post.ts';
import { retryAfterMs } from './retry-after.ts';

/** An answer with pictures in it may be large; an error never is. */
const LARGEST = 64 * 1024 * 1024;
const LARGEST_ERROR = 64 * 1024;

const readText = async (provider: string, answer: Answer, limit: number): Promise<string> => {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let more = await answer.read(); more !== undefined; more = await answer.read()) {
    for (const piece of more) {
      size += piece.length;
      pieces.push(piece);
    }
    if (size <= limit) continue;
    answer.cancel();
    if (limit === LARGEST) throw protocolError(provider, 'the answer is too large');
    break;
  }
  return Buffer.concat(pieces).toString('utf8');
};

/** The whole answer as JSON. Throws UpstreamError when it is not. */
export const readJson = async (provider: string, answer: Answer): Promise<unknown> => {
  const text = await readText(provider, answer, LARGEST);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw protocolError(provider, 'the answer is not JSON', error);
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

/** What a refused call comes to, with the provider's own words for it: `message` may quote the request, and is not logged. */
export type Refused = Readonly<{ error: UpstreamError; code: string; message: string }>;

/** Reads an answer whose status is not good. */
export const readRefusal = async (provider: string, answer: Answer, now: Date): Promise<Refused> => {
  const { status, headers } = answer;
  const body = errorBodyOf(parsed(await readText(provider, answer, LARGEST_ERROR).catch(() => '')));
  const kind = failureKind(status, body);
  const error = new UpstreamError({
    provider,
    status,
    kind,
    retryAfterMs: retryAfterMs(headers, now),
    providerMessage: wordsOf(kind, body),
  });
  return { error, code: body.code, message: body.message };
};
