/** What is believed of each user for a short while, without asking again. */
export type KnownBriefly<T> = Readonly<{
  /** What is believed, or what is so when that is too old. */
  of: (userId: string) => Promise<readonly T[]>;
  /** What is believed, without waiting; undefined when nothing is. */
  peek: (userId: string) => readonly T[] | undefined;
  /** What is so. */
  afresh: (userId: string) => Promise<readonly T[]>;
  /** To be called with what somebody else has asked for. */
  learn: (userId: string, value: Promise<readonly T[]>) => void;
  /** To be called when it has changed. */
  forget: (userId: string) => void;
  sweep: () => void;
  size: () => number;
}>;

type Known<T> = { value: Promise<readonly T[]>; settled: readonly T[] | undefined; until: number };

/** How long something is believed. News of it come sooner. */
const BELIEVED_MS = 2_000;

/** `ask` must not reject: whoever asks can do nothing about it. */
export const knownBriefly = <T>(now: () => number, ask: (userId: string) => Promise<readonly T[]>): KnownBriefly<T> => {
  const known = new Map<string, Known<T>>();
  const learn = (userId: string, value: Promise<readonly T[]>): void => {
    const one: Known<T> = { value, settled: undefined, until: now() + BELIEVED_MS };
    known.set(userId, one);
    void value.then((settled) => {
      one.settled = settled;
    });
  };
  const current = (userId: string): Known<T> | undefined => {
    const found = known.get(userId);
    return found !== undefined && found.until > now() ? found : undefined;
  };
  const afresh = (userId: string): Promise<readonly T[]> => {
    const value = ask(userId);
    learn(userId, value);
    return value;
  };
  return {
    of: (userId) => current(userId)?.value ?? afresh(userId),
    peek: (userId) => current(userId)?.settled,
    afresh,
    learn,
    forget: (userId) => void known.delete(userId),
    sweep: () => {
      const at = now();
      for (const [userId, { until }] of known) if (until <= at) known.delete(userId);
    },
    size: () => known.size,
  };
};
