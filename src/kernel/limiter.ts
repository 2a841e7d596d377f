/** How often one key may do something: at most `max` times in a window that starts with its first use. */
export type LimitRule = Readonly<{ name: string; max: number; windowSeconds: number }>;

/** Where a key stands under a rule. */
export type LimitStanding = Readonly<{
  allowed: boolean;
  max: number;
  remaining: number;
  /** Seconds until the window ends; at least 1 while it is open. */
  resetSeconds: number;
}>;

/**
 * The port to the counters of the rate limits. Never rejects: when the shared counters cannot be reached, this process
 * counts alone, because a limiter that is down must not take the service down with it.
 */
export type Limiter = Readonly<{
  /** Counts one use and tells where the key stands then. */
  use: (rule: LimitRule, key: string) => Promise<LimitStanding>;
  /** Tells where the key stands, without counting. */
  look: (rule: LimitRule, key: string) => Promise<LimitStanding>;
}>;
