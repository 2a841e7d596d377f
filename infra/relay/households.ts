import { LRUCache } from 'lru-cache';
import { mailBox, type MailBox } from '../../src/kernel/mail-box.ts';
import { SESSION_SECONDS } from '../../src/kernel/relay.ts';
import { eventKeep, type EventKeep } from './event-keep.ts';
import { MAIL_LIMITS } from './limits.ts';
import { presenceKeep, type PresenceKeep } from './presence-keep.ts';
import { routeKeep, type RouteKeep } from './route-keep.ts';

/** What is known of one user's devices. */
export type Household = Readonly<{ present: PresenceKeep; events: EventKeep; mail: MailBox; routes: RouteKeep }>;

/** Households by user. */
export type Households = Readonly<{
  find: (userId: string) => Household | undefined;
  /** Changes a user's household, which is made when there is none, and sees what it takes afterwards. */
  change: <T>(userId: string, work: (household: Household) => T) => T;
  /** Lets go of what is too old. */
  sweep: () => void;
}>;

/** What a household held that had to make room. */
export type Lost = Readonly<{ eventBytes: number; mail: number }>;

const MOST_USERS = 100_000;
/** What a household takes when nothing is kept. */
const EMPTY_BYTES = 1024;

const householdAt = (now: () => number): Household => ({
  present: presenceKeep(now),
  events: eventKeep(now),
  mail: mailBox(MAIL_LIMITS, now),
  routes: routeKeep(now),
});

const sizeOf = ({ events, mail, routes }: Household): number =>
  EMPTY_BYTES + events.bytes() + mail.bytes() + routes.bytes();

const swept = (household: Household): Household => {
  household.events.sweep();
  household.mail.sweep();
  household.present.living();
  household.routes.all();
  return household;
};

/**
 * Keeps households within `mostBytes`, the longest absent making room, for as long as a session lasts after they were
 * last heard of. `onLost` is told of those who had to make room.
 */
export const householdsWithin = (
  mostBytes: number,
  now: () => number,
  onLost: (userId: string, lost: Lost) => void = () => undefined,
): Households => {
  const users = new LRUCache<string, Household>({
    max: MOST_USERS,
    maxSize: mostBytes,
    ttl: SESSION_SECONDS * 1_000,
    // A clock may have moved between two calls of one millisecond; a deadline is looked at each time.
    ttlResolution: 0,
    perf: { now },
    dispose: ({ events, mail }, userId, reason) => {
      if (reason === 'evict') onLost(userId, { eventBytes: events.bytes(), mail: mail.size() });
    },
  });
  return {
    find: (userId) => users.get(userId, { updateAgeOnGet: true }),
    change: (userId, work) => {
      const household = users.get(userId) ?? householdAt(now);
      const answer = work(household);
      users.set(userId, household, { size: sizeOf(household) });
      return answer;
    },
    sweep: () => {
      users.purgeStale();
      const smaller: [string, Household][] = [];
      users.forEach((household, userId) => {
        const before = sizeOf(household);
        if (sizeOf(swept(household)) !== before) smaller.unshift([userId, household]);
      });
      // Without a new age: that nobody heard of them is why they were looked at.
      for (const [userId, household] of smaller) {
        users.set(userId, household, { size: sizeOf(household), noUpdateTTL: true });
      }
    },
  };
};
