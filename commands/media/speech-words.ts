import { DomainError } from '../../src/kernel/errors.ts';
import { textOf } from './media-checks.ts';

const LANGUAGES: ReadonlySet<string> = new Set(
  (
    'en es fr de it pt ru ja ko zh ar hi tr pl nl sv da no fi he th vi id ms tl ' +
    'uk bg hr cs sk sl et lv lt mt ga cy is mk sq sr bs ca eu gl ro hu el be ka'
  ).split(' '),
);

const LEAST_BYTES = 3;
const MOST_REPEATED = 1 / 3;
const WORDS_TO_JUDGE = 10;

/** What has no place among hints at the spelling of words. */
const NO_HINTS: readonly RegExp[] = [
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/,
  /<\s*\/?\s*(?:script|iframe|object|embed)\b/i,
  /\b(?:javascript|vbscript)\s*:/i,
  /\bon(?:error|load|click)\s*=/i,
  /<\|[a-z_]{1,40}\|>|\[\/?INST\]|<<SYS>>/i,
  /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|system|all)\b.{0,40}\b(?:instruction|prompt|rule|message)s?\b/i,
  /\b(?:reveal|print|repeat|show)\b.{0,40}\b(?:system|hidden|initial)\s+(?:prompt|instruction|message)s?\b/i,
  /\byou are now\b.{0,60}\b(?:assistant|model|ai|mode|dan)\b/i,
];

const refuse = (detail: string): never => {
  throw new DomainError('validation_error', detail);
};

const saysOneThing = (text: string): boolean => {
  const words = text.toLowerCase().split(' ');
  if (words.length < WORDS_TO_JUDGE) return false;
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Math.max(...counts.values()) > words.length * MOST_REPEATED;
};

/** The two letters of a language, also out of `en-US`; undefined when none was sent. Throws `validation_error`. */
export const languageOf = (sent: string | undefined): string | undefined => {
  const text = textOf(sent);
  if (text === undefined) return undefined;
  const code = (text.split(/[-_]/)[0] ?? '').toLowerCase();
  if (text.length < 2 || text.length > 5 || !LANGUAGES.has(code)) {
    return refuse("language must be one of the known two-letter codes, such as 'en' or 'en-US'");
  }
  return code;
};

/** Hints at the words that may occur, their spaces collapsed; undefined when none were sent. Throws `validation_error`. */
export const hintsOf = (sent: string | undefined, mostBytes: number): string | undefined => {
  const text = textOf(sent);
  if (text === undefined) return undefined;
  const bytes = Buffer.byteLength(text);
  if (bytes < LEAST_BYTES) refuse(`prompt must have at least ${LEAST_BYTES} bytes; leave it out or say more`);
  if (bytes > mostBytes) refuse(`prompt may have at most ${mostBytes} bytes for this model; shorten it`);
  if (NO_HINTS.some((pattern) => pattern.test(text))) {
    refuse('prompt is for words that may occur in the recording; it holds something else');
  }
  const collapsed = text.replace(/\s+/g, ' ');
  return saysOneThing(collapsed) ? refuse('prompt says the same word again and again; say each word once') : collapsed;
};
