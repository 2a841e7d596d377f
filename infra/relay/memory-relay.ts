import { LRUCache } from 'lru-cache';
import {
  KEPT_SECONDS,
  MAIL_SECONDS,
  PRESENCE_SECONDS,
  SESSION_SECONDS,
  type Delivery,
  type NumberedEvent,
  type Presence,
  type Relay,
  type RelaySession,
  type TerminalRoute,
} from '../../src/kernel/relay.ts';
import { eventKeep, type EventKeep } from './event-keep.ts';
import { MOST_MAIL } from './limits.ts';

export type MemoryRelayOptions = Readonly<{
  /** Milliseconds since the epoch. */
  now?: () => number;
}>;

/** What is known of one user's devices. Gone when nothing was heard of them for long enough. */
type Household = {
  present: Map<string, Readonly<{ presence: Presence; until: number }>>;
  events: EventKeep;
  mail: Map<string, { frame: string; until: number }[]>;
  routes: Map<string, TerminalRoute>;
};

/** Users whose devices were here within the time that a session lasts; the longest absent make room beyond this many. */
const MOST_USERS = 100_000;
const MOST_SESSIONS = 200_000;

const routeKey = ({ producerId, sessionId, consumerId }: TerminalRoute): string =>
  JSON.stringify([producerId, sessionId, consumerId]);

/**
 * The relay of an application that is alone on its machine. `attach` makes one for each instance, of which there are
 * several in tests only.
 */
export const memoryRelay = (options: MemoryRelayOptions = {}) => {
  const now = options.now ?? Date.now;
  const users = new LRUCache<string, Household>({ max: MOST_USERS, ttl: SESSION_SECONDS * 1_000 });
  const sessions = new LRUCache<string, RelaySession>({ max: MOST_SESSIONS, ttl: SESSION_SECONDS * 1_000 });
  const instances = new Map<string, (delivery: Delivery) => void>();

  const household = (userId: string): Household => {
    const known = users.get(userId, { updateAgeOnGet: true });
    if (known !== undefined) return known;
    const fresh: Household = { present: new Map(), events: eventKeep(now), mail: new Map(), routes: new Map() };
    users.set(userId, fresh);
    return fresh;
  };

  const living = (userId: string): readonly Presence[] => {
    const { present } = household(userId);
    const at = now();
    for (const [deviceId, { until }] of present) if (until <= at) present.delete(deviceId);
    return [...present.values()].map(({ presence }) => presence).sort((a, b) => b.since - a.since);
  };

  const note = (userId: string, presence: Presence): void => {
    household(userId).present.set(presence.deviceId, { presence, until: now() + PRESENCE_SECONDS * 1_000 });
  };

  const handTo = (instance: string, delivery: Delivery): boolean => {
    const take = instances.get(instance);
    take?.(delivery);
    return take !== undefined;
  };

  const attach = (instance: string): Relay => ({
    instance,
    onDelivery: (take) => void instances.set(instance, take),
    onInterruption: () => undefined,
    join: async (userId, presence) => {
      const before = living(userId).find(({ deviceId }) => deviceId === presence.deviceId);
      note(userId, presence);
      return before;
    },
    renew: async (present) => {
      for (const { userId, presence } of present) {
        const other = living(userId).find(({ deviceId }) => deviceId === presence.deviceId);
        if (other === undefined || other.connectionId === presence.connectionId) note(userId, presence);
      }
    },
    leave: async (userId, { deviceId, connectionId }) => {
      const { present } = household(userId);
      if (present.get(deviceId)?.presence.connectionId !== connectionId) return false;
      return present.delete(deviceId);
    },
    present: async (userId) => living(userId),

    publish: async (userId, said, keeping) => {
      const event: NumberedEvent = household(userId).events.add(said, keeping);
      const where = new Set(living(userId).map((presence) => presence.instance));
      for (const each of where) handTo(each, { kind: 'event', userId, event });
      return event.eventId;
    },
    replay: async (userId, lastEventId) => household(userId).events.after(lastEventId),

    send: async (presence, delivery) => handTo(presence.instance, delivery),

    keepMail: async (userId, deviceId, frame) => {
      const { mail } = household(userId);
      const waiting = mail.get(deviceId) ?? [];
      mail.set(deviceId, [...waiting.slice(1 - MOST_MAIL), { frame, until: now() + MAIL_SECONDS * 1_000 }]);
    },
    takeMail: async (userId, deviceId) => {
      const { mail } = household(userId);
      const waiting = mail.get(deviceId) ?? [];
      mail.delete(deviceId);
      return waiting.filter(({ until }) => until > now()).map(({ frame }) => frame);
    },

    keepSession: async (session) => void sessions.set(session.sessionId, session),
    session: async (sessionId) => sessions.get(sessionId),
    dropSession: async (sessionId) => void sessions.delete(sessionId),

    addRoute: async (userId, route) => void household(userId).routes.set(routeKey(route), route),
    removeRoute: async (userId, route) => void household(userId).routes.delete(routeKey(route)),
    routes: async (userId) => [...household(userId).routes.values()],

    ping: async () => undefined,
    close: async () => void instances.delete(instance),
  });

  return { attach };
};
