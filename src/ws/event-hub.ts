import { feedAfter, feedEnd, usersWithNews, type FeedEvent } from '../../queries/events/feed-after.query.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import type { QueryRunner } from '../kernel/query.ts';

type Follower = { readonly userId: string; wake: () => void };

/** Rows of one read; also the most that waits for a slow client in memory. */
const PAGE = 200;
const RETRY_MS = 1000;

/**
 * Lets clients follow their own events. What they get comes from one place, the feed's table, whether they catch up or
 * are live, so that there is no seam where an event could be lost or told twice; news of the projection only wakes them.
 */
export type EventHub = Readonly<{
  /**
   * The position to follow from: `after`, or now when that is undefined or of another log. Asked for before a client is
   * told anything: what it does once it has heard of us is then told to it.
   */
  startOf: (userId: string, after: bigint | undefined) => Promise<bigint>;
  /** The user's events after a position, page by page, until `signal` aborts. */
  follow: (userId: string, after: bigint, signal: AbortSignal) => AsyncGenerator<readonly FeedEvent[]>;
  /**
   * Takes one of the places that each user has; to be called before a client is told anything, and the answer when its
   * stream is over. Throws DomainError `rate_limit_error` when the user has too many streams open.
   */
  enter: (userId: string) => () => void;
  /** To be called when the feed has grown up to a position. */
  grown: () => void;
  followers: () => number;
}>;

type HubDeps = Readonly<{
  queries: QueryRunner;
  /** The commit position of the newest event in the log; 0 when there is none. */
  logHead: () => Promise<bigint>;
  logger: Logger;
}>;

/** Streams of one user at once, over all devices. */
const MOST_STREAMS = 32;

/** Builds the hub. */
export const eventHub = ({ queries, logHead, logger }: HubDeps): EventHub => {
  const followers = new Set<Follower>();
  const places = new Map<string, number>();
  let seen: bigint | undefined;
  let looking = false;
  let again = false;

  /** One query for all followers of this process tells whom to wake. */
  const lookOnce = async (): Promise<void> => {
    const asked = new Set(followers);
    const users = [...new Set([...asked].map(({ userId }) => userId))];
    if (users.length === 0) {
      seen = undefined;
      return;
    }
    const news = await queries.asSystem(usersWithNews(users, seen ?? 0n));
    seen = news.reduce((max, { position }) => (position > max ? position : max), seen ?? 0n);
    const woken = new Set(news.map(({ userId }) => userId));
    // Nobody has asked for those who came meanwhile, and `seen` has passed what is theirs: they look for themselves.
    for (const follower of followers) if (!asked.has(follower) || woken.has(follower.userId)) follower.wake();
  };

  const look = async (): Promise<void> => {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      do {
        again = false;
        await lookOnce();
      } while (again as boolean);
    } catch (error) {
      logger.warn({ err: error }, 'news of the event feed could not be read; trying again');
      setTimeout(() => void look(), RETRY_MS).unref();
    } finally {
      looking = false;
    }
  };

  const startOf = async (userId: string, after: bigint | undefined): Promise<bigint> => {
    // A position that this log has not reached is of another log: nothing can be resumed, so begin with what comes.
    const resumes = after !== undefined && after <= (await logHead());
    return resumes ? after : queries.asUser(userId, feedEnd(userId));
  };

  async function* follow(userId: string, after: bigint, signal: AbortSignal): AsyncGenerator<readonly FeedEvent[]> {
    let news = Promise.withResolvers<undefined>();
    const follower: Follower = { userId, wake: () => news.resolve(undefined) };
    const stop = (): void => news.resolve(undefined);
    followers.add(follower);
    signal.addEventListener('abort', stop, { once: true });
    const stopped = (): boolean => signal.aborted;
    try {
      let at = after;
      while (!stopped()) {
        news = Promise.withResolvers<undefined>();
        const events = await queries.asUser(userId, feedAfter(userId, at, PAGE));
        if (events.length > 0) yield events;
        at = events.at(-1)?.position ?? at;
        if (events.length < PAGE && !stopped()) await news.promise;
      }
    } finally {
      followers.delete(follower);
      signal.removeEventListener('abort', stop);
    }
  }

  const enter = (userId: string): (() => void) => {
    const open = places.get(userId) ?? 0;
    if (open >= MOST_STREAMS) {
      throw new DomainError('rate_limit_error', `at most ${MOST_STREAMS} event streams of one user; close some first`, {
        retryAfterSeconds: 5,
      });
    }
    places.set(userId, open + 1);
    return () => {
      const left = (places.get(userId) ?? 1) - 1;
      if (left > 0) places.set(userId, left);
      else places.delete(userId);
    };
  };

  return { startOf, follow, enter, grown: () => void look(), followers: () => followers.size };
};
