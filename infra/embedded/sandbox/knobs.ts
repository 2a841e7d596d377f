/** What a prompt asks of the sandbox, besides its answer. Times in milliseconds, counts from the start of the answer. */
export type Knobs = Readonly<{
  /** Before the head of the answer. */
  latency: number;
  /** Before each chunk. */
  delay: number;
  /** Tokens in a chunk. */
  size: number;
  /** Number of chunks, whatever their size; 0: as many as it takes. */
  chunks: number;
  /** Length of the answer: the echo is repeated or cut to it; 0: the echo as it is. */
  tokens: number;
  /** Refuse with this HTTP status; 0: do not. */
  status: number;
  /** Seconds in `Retry-After` of a refusal; 0: none. */
  retryAfter: number;
  /** Fail inside the stream after so many chunks; -1: do not. */
  failAfter: number;
  /** Cut the connection after so many chunks; -1: do not. */
  cutAfter: number;
  /** Say nothing more after so many chunks, with the connection open; -1: do not. */
  stallAfter: number;
  /** 1: send usage, 0: leave it out. */
  usage: number;
}>;

const QUIET: Knobs = {
  latency: 0,
  delay: 0,
  size: 1,
  chunks: 0,
  tokens: 0,
  status: 0,
  retryAfter: 0,
  failAfter: -1,
  cutAfter: -1,
  stallAfter: -1,
  usage: 1,
};

const DIRECTIVE = /\[\[sandbox ([^\]]{0,400})\]\]\s?/g;
const MOST = 600_000;

const isKnob = (name: string): name is keyof Knobs => name in QUIET;

/** The knobs of a prompt such as `[[sandbox latency=200 failAfter=3]] Hello`, and the prompt without them. */
export const knobsOf = (prompt: string): Readonly<{ knobs: Knobs; text: string }> => {
  const knobs: { -readonly [K in keyof Knobs]: number } = { ...QUIET };
  const text = prompt.replace(DIRECTIVE, (_all, settings: string) => {
    for (const setting of settings.split(/\s+/)) {
      const [name = '', value = ''] = setting.split('=');
      const number = Number(value);
      if (isKnob(name) && Number.isFinite(number)) knobs[name] = Math.min(MOST, Math.max(-1, Math.trunc(number)));
    }
    return '';
  });
  return { knobs, text };
};
