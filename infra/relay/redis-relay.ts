import type { Redis } from 'ioredis';
import type { Logger } from '../../src/kernel/logger.ts';
import { SESSION_SECONDS, type Presence, type Relay, type RelaySession } from '../../src/kernel/relay.ts';
import { onRedis } from '../redis/redis-unavailable.ts';
import { deliveryForm, deliveryOf } from './delivery-form.ts';
import { eventsThrough } from './events-through.ts';
import { redisInbox } from './redis-inbox.ts';
import { INBOX, sessionKey } from './redis-keys.ts';
import { redisMail } from './redis-mail.ts';
import { redisPresence } from './redis-presence.ts';
import { redisRoutes } from './redis-routes.ts';
import { routeMemory } from './route-memory.ts';
import { taker } from './taker.ts';

export type RedisRelayOptions = Readonly<{
  /** Stays the caller's, who closes it. */
  redis: Redis;
  /** The name of this process among all, without spaces. */
  instance: string;
  logger: Logger;
  /** Milliseconds since the epoch; the clock of Redis unless given. */
  now?: () => number;
  /** How often it is looked whether the connections are still alive. */
  checkEveryMs?: number;
}>;

/** Renewals that are under way at once. */
const RENEW_AT_ONCE = 500;
/** Losses that are told one after the other are looked into together. */
const GATHER_MS = 1_000;

/** Whether anything came of one of them. */
const anyInGroups = async <T>(
  all: readonly T[],
  size: number,
  work: (one: T) => Promise<boolean>,
): Promise<boolean> => {
  let any = false;
  for (let at = 0; at < all.length; at += size) {
    const came = await Promise.all(all.slice(at, at + size).map(work));
    any ||= came.includes(true);
  }
  return any;
};

const sessionsIn = (redis: Redis): Pick<Relay, 'keepSession' | 'session' | 'dropSession'> => ({
  keepSession: async (session) => {
    await onRedis(() => redis.set(sessionKey(session.sessionId), JSON.stringify(session), 'EX', SESSION_SECONDS));
  },
  session: async (sessionId) => {
    const text = await onRedis(() => redis.get(sessionKey(sessionId)));
    return text === null ? undefined : (JSON.parse(text) as RelaySession);
  },
  dropSession: async (sessionId) => {
    await onRedis(() => redis.del(sessionKey(sessionId)));
  },
});

/** Calls after a moment, once for all that asked meanwhile. */
const gathered = (work: () => void) => {
  let timer: NodeJS.Timeout | undefined;
  return {
    ask: (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        work();
      }, GATHER_MS).unref();
    },
    stop: (): void => clearTimeout(timer),
  };
};

const byUser = (all: Parameters<Relay['renew']>[0]): readonly (readonly [string, Presence[]])[] => {
  const users = new Map<string, Presence[]>();
  for (const { userId, presence } of all) users.set(userId, [...(users.get(userId) ?? []), presence]);
  return [...users];
};

/**
 * The relay of several instances, in Redis. Every change is one script over the keys of one user, and an event is handed
 * to the instances in the same step in which it gets its id, so that all see the ids in order. Calls reject at once with
 * RedisUnavailableError while Redis is away.
 */
export const redisRelay = ({ redis, instance, logger, now, checkEveryMs = 5_000 }: RedisRelayOptions): Relay => {
  const clock = now ?? ((): number => 0);
  const own = taker(logger);
  const presence = redisPresence(redis, clock);
  const events = eventsThrough(redis, clock);
  const routes = redisRoutes(redis, clock);
  const remembered = routeMemory();
  const lookAgain = gathered(own.interrupted);

  const take = (message: Buffer): void => {
    try {
      const delivery = deliveryOf(message);
      if (delivery.kind === 'missed') return lookAgain.ask();
      if (delivery.kind === 'event') events.saw(delivery.userId, delivery.event.eventId);
      own.deliver(delivery);
    } catch (err) {
      logger.error({ err }, 'a message between instances could not be read');
    }
  };
  const inbox = redisInbox({
    redis,
    channel: INBOX + instance,
    logger,
    take,
    interrupted: own.interrupted,
    checkEveryMs,
  });

  return {
    instance,
    onDelivery: own.onDelivery,
    onInterruption: own.onInterruption,
    ...redisMail(redis, clock),
    ...sessionsIn(redis),
    join: presence.join,
    renew: async (all) => {
      const wasForgotten = await anyInGroups(byUser(all), RENEW_AT_ONCE, async ([userId, living]) => {
        const again = await presence.renew(userId, living);
        const lost = again.flatMap((deviceId) => remembered.of(userId, deviceId));
        await Promise.all(lost.map((route) => routes.addRoute(userId, route)));
        return again.length > 0;
      });
      // Nothing was handed to them meanwhile.
      if (wasForgotten) own.interrupted();
    },
    leave: (userId, left) => {
      remembered.forget(userId, left.deviceId);
      return presence.leave(userId, left);
    },
    present: presence.present,
    publish: events.publish,
    replay: events.replay,
    send: async (to, delivery) => {
      if (to.instance === instance) return own.deliver(delivery);
      return (await onRedis(() => redis.publish(INBOX + to.instance, deliveryForm(delivery)))) > 0;
    },
    addRoute: (userId, route) => {
      remembered.add(userId, route);
      return routes.addRoute(userId, route);
    },
    removeRoute: (userId, route) => {
      remembered.remove(userId, route);
      return routes.removeRoute(userId, route);
    },
    routes: routes.routes,
    ping: async () => {
      await onRedis(() => redis.ping());
    },
    close: () => {
      lookAgain.stop();
      inbox.close();
      return Promise.resolve();
    },
  };
};
