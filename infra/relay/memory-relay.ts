import { LRUCache } from 'lru-cache';
import { silentLogger, type Logger } from '../../src/kernel/logger.ts';
import { MAIL_SECONDS, SESSION_SECONDS, type Delivery, type Relay, type RelaySession } from '../../src/kernel/relay.ts';
import { householdsWithin } from './households.ts';
import { taker, type Taker } from './taker.ts';

export type MemoryRelayOptions = Readonly<{
  /** Milliseconds since the epoch. */
  now?: () => number;
  logger?: Logger;
  /** Bytes of all users together; the longest absent make room. */
  mostBytes?: number;
}>;

const MOST_SESSIONS = 200_000;
const MOST_BYTES = 512 * 1024 * 1024;
const SWEEP_MS = 30_000;

/** Carries work out at once; what it throws rejects, as it would over the network. */
const promised = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

/** Hands deliveries on one after the other, also when one of them leads to another. */
const oneByOne = () => {
  const waiting: (() => void)[] = [];
  let isBusy = false;
  return (work: readonly (() => void)[]): void => {
    waiting.push(...work);
    if (isBusy) return;
    isBusy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
    isBusy = false;
  };
};

/**
 * The relay of an application that is alone on its machine. `attach` makes one for each instance, of which there are
 * several in tests only. What is kept is bounded, by bytes too, and gone with the process.
 */
export const memoryRelay = (options: MemoryRelayOptions = {}) => {
  const { now = Date.now, logger = silentLogger, mostBytes = MOST_BYTES } = options;
  const households = householdsWithin(mostBytes, now, (userId, lost) => {
    if (lost.mail + lost.eventBytes > 0) logger.warn({ userId, ...lost }, 'what was kept for devices had to make room');
  });
  const sessions = new LRUCache<string, RelaySession>({
    max: MOST_SESSIONS,
    ttl: SESSION_SECONDS * 1_000,
    ttlResolution: 0,
    perf: { now },
  });
  const instances = new Map<string, Taker>();
  const inOrder = oneByOne();
  const sweep = setInterval(() => households.sweep(), SWEEP_MS);
  sweep.unref();

  const handTo = (instance: string, delivery: Delivery): boolean => {
    const there = instances.get(instance);
    if (there !== undefined) inOrder([() => there.deliver(delivery)]);
    return there !== undefined;
  };

  const publish: Relay['publish'] = (userId, said, keeping) =>
    promised(() => {
      const [event, present] = households.change(userId, (household) => [
        household.events.add(said, keeping),
        household.present.living(),
      ]);
      const where = [...new Set(present.map((presence) => presence.instance))];
      // All at once: what the first one does about it comes after it for the others too.
      inOrder(where.map((name) => () => instances.get(name)?.deliver({ kind: 'event', userId, event })));
      return event.eventId;
    });

  const attach = (instance: string): Relay => {
    const own = taker(logger);
    instances.set(instance, own);
    return {
      instance,
      onDelivery: own.onDelivery,
      onInterruption: own.onInterruption,
      join: (userId, presence) => promised(() => households.change(userId, ({ present }) => present.join(presence))),
      renew: (all) =>
        promised(() => {
          const again = all.filter(({ userId, presence }) =>
            households.change(userId, ({ present }) => present.renew(presence)),
          );
          // Nothing was handed to them meanwhile.
          if (again.length > 0) own.interrupted();
        }),
      leave: (userId, presence) => promised(() => households.find(userId)?.present.leave(presence) ?? true),
      present: (userId) => promised(() => households.find(userId)?.present.living() ?? []),
      publish,
      replay: (userId, lastEventId) =>
        promised(() => households.change(userId, ({ events }) => events.after(lastEventId))),
      send: (presence, delivery) => promised(() => handTo(presence.instance, delivery)),
      keepMail: (userId, deviceId, given) =>
        promised(() =>
          households.change(userId, ({ mail }) =>
            mail.keep({ ...given, deviceId, until: now() + MAIL_SECONDS * 1_000 }),
          ),
        ),
      takeMail: (userId, deviceId) => promised(() => households.find(userId)?.mail.take(deviceId) ?? []),
      keepSession: (session) => promised(() => void sessions.set(session.sessionId, session)),
      session: (sessionId) => promised(() => sessions.get(sessionId)),
      dropSession: (sessionId) => promised(() => void sessions.delete(sessionId)),
      addRoute: (userId, route) => promised(() => households.change(userId, ({ routes }) => routes.add(route))),
      removeRoute: (userId, route) => promised(() => households.find(userId)?.routes.remove(route)),
      routes: (userId) => promised(() => households.find(userId)?.routes.all() ?? []),
      ping: () => Promise.resolve(),
      close: () => {
        instances.delete(instance);
        if (instances.size === 0) clearInterval(sweep);
        return Promise.resolve();
      },
    };
  };

  return { attach };
};
