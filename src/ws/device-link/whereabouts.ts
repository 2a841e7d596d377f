import type { Logger } from '../../kernel/logger.ts';
import type { Presence, Relay, TerminalRoute } from '../../kernel/relay.ts';
import type { Connections } from './connections.ts';
import { knownBriefly } from './known-briefly.ts';

/** Where a user's devices are, and who watches which terminal. */
export type Whereabouts = Readonly<{
  /** The user's connected devices on all instances, the latest first. May be two seconds old. */
  present: (userId: string) => Promise<readonly Presence[]>;
  /** The same without waiting; undefined when nothing is known. */
  presentAtOnce: (userId: string) => readonly Presence[] | undefined;
  /** The same as it is now. */
  presentNow: (userId: string) => Promise<readonly Presence[]>;
  /** The same, and whether those are all: while the relay is away, devices of other instances are out of sight. */
  lookAround: (userId: string) => Promise<Readonly<{ devices: readonly Presence[]; isAll: boolean }>>;
  routes: (userId: string) => Promise<readonly TerminalRoute[]>;
  /** The same without waiting; undefined when nothing is known. */
  routesAtOnce: (userId: string) => readonly TerminalRoute[] | undefined;
  /** To be called when either has changed. */
  forget: (userId: string) => void;
  sweep: () => void;
  /** Users of whom something is believed. */
  size: () => number;
}>;

type Deps = Readonly<{
  relay: Pick<Relay, 'present' | 'routes' | 'instance'>;
  connections: Connections;
  now: () => number;
  logger: Logger;
}>;

/** While the relay is away, devices of this instance go on finding each other. */
export const whereabouts = ({ relay, connections, now, logger }: Deps): Whereabouts => {
  const here = (userId: string): readonly Presence[] =>
    [...connections.of(userId)].map(({ entry }) => entry.presence).sort((a, b) => b.since - a.since);

  const out = (error: unknown): void => logger.warn({ err: error }, 'devices of other instances are out of sight');

  const present = knownBriefly(now, (userId) =>
    relay.present(userId).catch((error: unknown) => {
      out(error);
      return here(userId);
    }),
  );
  const routes = knownBriefly<TerminalRoute>(now, (userId) =>
    relay.routes(userId).catch((error: unknown) => {
      logger.warn({ err: error }, 'who watches which terminal is not known');
      return [];
    }),
  );
  return {
    present: present.of,
    presentAtOnce: present.peek,
    presentNow: present.afresh,
    lookAround: (userId) => {
      const devices = relay.present(userId);
      present.learn(
        userId,
        devices.catch(() => here(userId)),
      );
      return devices.then(
        (all) => ({ devices: all, isAll: true }),
        (error: unknown) => {
          out(error);
          return { devices: here(userId), isAll: false };
        },
      );
    },
    routes: routes.of,
    routesAtOnce: routes.peek,
    forget: (userId) => {
      present.forget(userId);
      routes.forget(userId);
    },
    sweep: () => {
      present.sweep();
      routes.sweep();
    },
    size: () => present.size() + routes.size(),
  };
};
