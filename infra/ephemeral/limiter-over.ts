import { RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Limiter, LimitRule, LimitStanding } from '../../src/kernel/limiter.ts';

const standingOf = (rule: LimitRule, counted: RateLimiterRes | null, allowed: boolean): LimitStanding => ({
  allowed,
  max: rule.max,
  remaining: counted === null ? rule.max : Math.max(0, counted.remainingPoints),
  resetSeconds: counted === null ? rule.windowSeconds : Math.max(1, Math.ceil(counted.msBeforeNext / 1000)),
});

/** A refusal comes as a rejection with the standing; anything else is a failure of the counter, which lets pass. */
const standingOnRejection = (rule: LimitRule, reason: unknown): LimitStanding =>
  reason instanceof RateLimiterRes ? standingOf(rule, reason, false) : standingOf(rule, null, true);

/** The limiter port over one counter a rule, each made on first use. */
export const limiterOver = (counterOf: (rule: LimitRule) => RateLimiterAbstract): Limiter => {
  const counters = new Map<string, RateLimiterAbstract>();
  const counter = (rule: LimitRule): RateLimiterAbstract => {
    const name = `${rule.name}|${rule.max}|${rule.windowSeconds}`;
    const known = counters.get(name) ?? counterOf(rule);
    counters.set(name, known);
    return known;
  };
  return {
    use: (rule, key) =>
      counter(rule)
        .consume(key)
        .then(
          (counted) => standingOf(rule, counted, true),
          (reason: unknown) => standingOnRejection(rule, reason),
        ),
    look: (rule, key) =>
      counter(rule)
        .get(key)
        .then(
          // `remainingPoints` stops at zero: the last allowed use and the first refused one look the same from there.
          (counted) => standingOf(rule, counted, counted === null || counted.consumedPoints < rule.max),
          (reason: unknown) => standingOnRejection(rule, reason),
        ),
  };
};
