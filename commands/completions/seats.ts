import { DomainError } from '../../src/kernel/errors.ts';
import type { CompletionPolicy } from './policy.ts';

/** Counts the requests that run at the same time. `take` answers a function that gives the seat back, once. */
export type Seats = Readonly<{ take: (userId: string) => () => void }>;

/**
 * Seats for this process: a check that costs nothing, before the credit account counts a user's work on all instances. Throws DomainErrors `rate_limit_error` and `service_unavailable` when none is free.
 */
export const seats = ({
  maxConcurrentPerUser,
  maxConcurrent,
}: Pick<CompletionPolicy, 'maxConcurrentPerUser' | 'maxConcurrent'>): Seats => {
  const byUser = new Map<string, number>();
  let all = 0;

  const leave = (userId: string): void => {
    all -= 1;
    const left = (byUser.get(userId) ?? 1) - 1;
    if (left === 0) byUser.delete(userId);
    else byUser.set(userId, left);
  };

  return {
    take: (userId) => {
      const own = byUser.get(userId) ?? 0;
      if (own >= maxConcurrentPerUser) {
        throw new DomainError(
          'rate_limit_error',
          `${maxConcurrentPerUser} requests of this user are running; wait until one of them ends`,
          { retryAfterSeconds: 1 },
        );
      }
      if (all >= maxConcurrent) {
        throw new DomainError('service_unavailable', 'the server is full; try again', { retryAfterSeconds: 2 });
      }
      byUser.set(userId, own + 1);
      all += 1;
      let taken = true;
      return () => {
        if (taken) leave(userId);
        taken = false;
      };
    },
  };
};
