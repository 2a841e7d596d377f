import { LRUCache } from 'lru-cache';
import type { TerminalRoute } from '../../src/kernel/relay.ts';
import { MOST_ROUTES } from './limits.ts';
import { routeOf, routeText } from './route-keep.ts';

/** What this process knows of the routes to devices that are connected here, should the shared store forget them. */
export type RouteMemory = Readonly<{
  add: (userId: string, route: TerminalRoute) => void;
  remove: (userId: string, route: TerminalRoute) => void;
  /** The routes to a device. */
  of: (userId: string, consumerId: string) => readonly TerminalRoute[];
  /** Forgets the routes to a device. */
  forget: (userId: string, consumerId: string) => void;
}>;

const MOST_DEVICES = 100_000;

export const routeMemory = (): RouteMemory => {
  const devices = new LRUCache<string, Set<string>>({ max: MOST_DEVICES });
  const key = (userId: string, consumerId: string): string => `${userId} ${consumerId}`;
  return {
    add: (userId, route) => {
      const own = devices.get(key(userId, route.consumerId)) ?? new Set();
      own.add(routeText(route));
      for (const oldest of own) {
        if (own.size <= MOST_ROUTES) break;
        own.delete(oldest);
      }
      devices.set(key(userId, route.consumerId), own);
    },
    remove: (userId, route) => void devices.get(key(userId, route.consumerId))?.delete(routeText(route)),
    of: (userId, consumerId) => [...(devices.get(key(userId, consumerId)) ?? [])].map(routeOf),
    forget: (userId, consumerId) => void devices.delete(key(userId, consumerId)),
  };
};
