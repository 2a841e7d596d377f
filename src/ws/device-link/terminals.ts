import type { Clock } from '../../kernel/clock.ts';
import type { Presence, Relay, TerminalRoute } from '../../kernel/relay.ts';
import type { Registered } from './connections.ts';
import { errorFrame, terminalFrame, type LinkErrorCode } from './frames.ts';
import { flagOf, textOf } from './client-message.ts';
import type { PostOffice } from './post-office.ts';
import { terminalSessionOf } from './terminal-frame.ts';
import { NOT_TOLD, waitingBinds, type Refusal, type Wish } from './waiting-binds.ts';
import type { Whereabouts } from './whereabouts.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Terminals of a desktop that phones watch. */
export type Terminals = Readonly<{
  bind: (connection: Registered, payload: Payload | undefined) => Promise<void>;
  unbind: (connection: Registered, payload: Payload | undefined) => Promise<void>;
  /** To be told when a desktop of a user has come. Never rejects. */
  desktopCame: (userId: string) => Promise<void>;
  /** Bytes of a terminal, for all who watch it; undefined when they have been sent. */
  output: (connection: Registered, frame: Buffer) => Promise<void> | undefined;
  /** Asks a desktop that is back for the terminals that are still watched: it has forgotten them. */
  restore: (desktop: Registered) => Promise<void>;
  /** A watcher has gone: a desktop that nobody watches keeps its output until somebody does. */
  left: (userId: string, deviceId: string) => Promise<void>;
}>;

type Deps = Readonly<{ relay: Relay; office: PostOffice; whereabouts: Whereabouts; clock: Clock; holdMs: number }>;

const LONGEST_SESSION_ID = 256;

export const terminals = ({ relay, office, whereabouts, clock, holdMs }: Deps): Terminals => {
  const refuse = (connection: Registered, code: LinkErrorCode, message: string): undefined => {
    connection.outbox.send(errorFrame(code, message, clock()), 'vital');
  };

  const sessionIn = (connection: Registered, payload: Payload | undefined): string | undefined =>
    payload === undefined
      ? refuse(connection, 'missingPayload', 'a payload with sessionId is needed')
      : (textOf(payload, 'sessionId', LONGEST_SESSION_ID) ??
        refuse(connection, 'missingSessionId', 'sessionId is missing'));

  const desktopFor = async ({ caller, entry }: Registered): Promise<string | undefined> => {
    const isOne = ({ role, deviceId }: Presence): boolean => role === 'desktop' && deviceId !== entry.presence.deviceId;
    const believed = (await whereabouts.present(caller.userId)).find(isOne);
    return (believed ?? (await whereabouts.presentNow(caller.userId)).find(isOne))?.deviceId;
  };

  /** Tells every instance with one of the user's devices that the routes are others now. */
  const changed = async (userId: string): Promise<void> => {
    whereabouts.forget(userId);
    const others = new Map((await whereabouts.present(userId)).map((presence) => [presence.instance, presence]));
    others.delete(relay.instance);
    await Promise.all([...others.values()].map((presence) => relay.send(presence, { kind: 'routes', userId })));
  };

  const drop = async (userId: string, route: TerminalRoute): Promise<void> => {
    await relay.removeRoute(userId, route);
    await changed(userId);
    const { producerId, sessionId } = route;
    const isSame = (other: TerminalRoute): boolean => other.producerId === producerId && other.sessionId === sessionId;
    if ((await whereabouts.routes(userId)).some(isSame)) return;
    await office.sendText(userId, producerId, terminalFrame('unbind', { sessionId }));
  };

  const bindNow = async ({ connection, sessionId, frame }: Wish): Promise<Refusal | undefined> => {
    const { userId } = connection.caller;
    const producerId = await desktopFor(connection);
    if (producerId === undefined) return ['producerNotConnected', 'Desktop is offline'];
    // The route first: the desktop may answer before we hear that it was told.
    const route = { producerId, sessionId, consumerId: connection.entry.presence.deviceId };
    await relay.addRoute(userId, route);
    await changed(userId);
    if (!(await office.sendText(userId, producerId, frame))) {
      await relay.removeRoute(userId, route);
      await changed(userId);
      return NOT_TOLD;
    }
    connection.outbox.send(terminalFrame('bound', { sessionId }), 'vital');
    return undefined;
  };

  const binds = waitingBinds({ attempt: bindNow, refuse, holdMs });

  const routesTo = async (userId: string, deviceId: string): Promise<readonly TerminalRoute[]> =>
    (await relay.routes(userId)).filter(({ consumerId }) => consumerId === deviceId);

  const isHere = async (userId: string, deviceId: string): Promise<boolean> =>
    (await whereabouts.presentNow(userId)).some((other) => other.deviceId === deviceId);

  /** Whoever cannot be reached binds again, and gets a snapshot. */
  const show = async (userId: string, routes: readonly TerminalRoute[], frame: Buffer): Promise<void> => {
    for (const { consumerId } of routes) await office.sendBinary(userId, consumerId, frame).catch(() => false);
  };

  return {
    bind: async (connection, payload) => {
      const sessionId = sessionIn(connection, payload);
      if (sessionId === undefined || payload === undefined) return;
      const includeSnapshot = flagOf(payload, 'includeSnapshot', true);
      const forceSnapshot = flagOf(payload, 'forceSnapshot', false);
      const frame = terminalFrame('bind', { sessionId, includeSnapshot, forceSnapshot });
      await binds.ask({ connection, sessionId, frame });
    },
    unbind: async (connection, payload) => {
      const { userId } = connection.caller;
      const sessionId = sessionIn(connection, payload);
      if (sessionId === undefined) return;
      await binds.withdraw({ connection, sessionId }, async () => {
        const own = await routesTo(userId, connection.entry.presence.deviceId);
        for (const route of own) if (route.sessionId === sessionId) await drop(userId, route);
      });
      if ((await desktopFor(connection)) !== undefined) return;
      refuse(connection, 'producerNotConnected', 'Desktop is offline');
    },
    desktopCame: binds.desktopCame,
    output: ({ caller: { userId }, entry: { presence } }, frame) => {
      const session = terminalSessionOf(frame);
      if (session === undefined) return undefined;
      const isOf = (route: TerminalRoute): boolean =>
        route.producerId === presence.deviceId && route.sessionId === session;
      const known = whereabouts.routesAtOnce(userId);
      if (known === undefined) {
        return whereabouts.routes(userId).then((routes) => show(userId, routes.filter(isOf), frame));
      }
      const elsewhere = known.filter((route) => isOf(route) && !office.sendHere(userId, route.consumerId, frame));
      return elsewhere.length === 0 ? undefined : show(userId, elsewhere, frame);
    },
    restore: async ({ caller: { userId }, entry: { presence }, outbox }) => {
      const [routes, devices] = await Promise.all([relay.routes(userId), whereabouts.presentNow(userId)]);
      const there = new Set(devices.map(({ deviceId }) => deviceId));
      const watched = routes.filter(
        ({ producerId, consumerId }) => producerId === presence.deviceId && there.has(consumerId),
      );
      for (const sessionId of new Set(watched.map((route) => route.sessionId))) {
        outbox.send(terminalFrame('bind', { sessionId, includeSnapshot: true, forceSnapshot: false }), 'vital');
      }
    },
    left: async (userId, deviceId) => {
      const routes = await routesTo(userId, deviceId);
      // It may be back already, on another instance, and have bound again.
      if (routes.length === 0 || (await isHere(userId, deviceId))) return;
      for (const route of routes) await drop(userId, route);
      if (!(await isHere(userId, deviceId))) return;
      await Promise.all(routes.map((route) => relay.addRoute(userId, route)));
      await changed(userId);
    },
  };
};
