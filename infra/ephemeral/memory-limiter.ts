import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { Limiter, LimitRule } from '../../src/kernel/limiter.ts';
import { limiterOver } from './limiter-over.ts';

/** The counter of one rule in this process. */
export const memoryCounter = (rule: LimitRule): RateLimiterMemory =>
  new RateLimiterMemory({ keyPrefix: `rl:${rule.name}`, points: rule.max, duration: rule.windowSeconds });

/** Counts in this process alone. */
export const memoryLimiter = (): Limiter => limiterOver(memoryCounter);
