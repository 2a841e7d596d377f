/** How many at once, and one more after how many milliseconds. */
export type PaceRule = Readonly<{ name: string; burst: number; everyMs: number }>;

/** The port to the pace of things that all instances do together: a bucket for each rule and key, full at first. */
export type Pacer = Readonly<{
  /**
   * Takes one out of the bucket. Resolves with 0 when there was one, else with the milliseconds until there will be, and
   * has taken nothing. Never rejects: while the shared buckets cannot be reached, this process has buckets of its own.
   */
  take: (rule: PaceRule, key: string) => Promise<number>;
}>;
