import type { Clock } from '../../kernel/clock.ts';
import type { Relay, TerminalRoute } from '../../kernel/relay.ts';
import type { Registered } from './connections.ts';
import { errorFrame, terminalFrame, type LinkErrorCode } from './frames.ts';
import { flagOf, textOf } from './inbound.ts';
import type { PostOffice } from './post-office.ts';
import { terminalSessionOf } from './terminal-frame.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Terminals of a desktop that phones watch. */
export type Terminals = Readonly<{
  bind: (connection: Registered, payload: Payload | undefined) => Promise<void>;
  unbind: (connection: Registered, payload: Payload | undefined) => Promise<void>;
  /** Bytes of a terminal, for all who watch it. */
  output: (connection: Registered, frame: Buffer) => Promise<void>;
  /** Asks a desktop that is back for the terminals that are still watched: it has forgotten them. */
  restore: (desktop: Registered) => Promise<void>;
  /** A watcher has gone: a desktop that nobody watches keeps its output until somebody does. */
  left: (connection: Registered) => Promise<void>;
}>;

type Deps = Readonly<{ relay: Relay; office: PostOffice; clock: Clock }>;

export const terminals = ({ relay, office, clock }: Deps): Terminals => {
  const refuse = (connection: Registered, code: LinkErrorCode, message: string): undefined => {
    connection.outbox.send(errorFrame(code, message, clock()), 'vital');
  };

  const sessionIn = (connection: Registered, payload: Payload | undefined): string | undefined =>
    payload === undefined
      ? refuse(connection, 'missingPayload', 'a payload with sessionId is needed')
      : (textOf(payload, 'sessionId') ?? refuse(connection, 'missingSessionId', 'sessionId is missing'));

  const desktopFor = async ({ caller, presence }: Registered): Promise<string | undefined> => {
    const devices = await office.present(caller.userId);
    return devices.find(({ role, deviceId }) => role === 'desktop' && deviceId !== presence.deviceId)?.deviceId;
  };

  /** Tells every instance with the desktop that its routes are others now. */
  const changed = async (userId: string): Promise<void> => {
    office.forget(userId);
    const others = new Map((await office.present(userId)).map((presence) => [presence.instance, presence]));
    others.delete(relay.instance);
    await Promise.all([...others.values()].map((presence) => relay.send(presence, { kind: 'routes', userId })));
  };

  const drop = async (userId: string, route: TerminalRoute): Promise<void> => {
    await relay.removeRoute(userId, route);
    await changed(userId);
    const watched = (await office.routes(userId)).some(
      ({ producerId, sessionId }) => producerId === route.producerId && sessionId === route.sessionId,
    );
    if (!watched)
      await office.sendText(userId, route.producerId, terminalFrame('unbind', { sessionId: route.sessionId }));
  };

  const ownRoutes = async ({ caller, presence }: Registered): Promise<readonly TerminalRoute[]> =>
    (await office.routes(caller.userId)).filter(({ consumerId }) => consumerId === presence.deviceId);

  return {
    bind: async (connection, payload) => {
      const { userId } = connection.caller;
      const sessionId = sessionIn(connection, payload);
      if (sessionId === undefined || payload === undefined) return;
      const producerId = await desktopFor(connection);
      if (producerId === undefined) return refuse(connection, 'producerNotConnected', 'Desktop is offline');
      // The route first: the desktop may answer before we hear that it was told.
      await relay.addRoute(userId, { producerId, sessionId, consumerId: connection.presence.deviceId });
      await changed(userId);
      const includeSnapshot = flagOf(payload, 'includeSnapshot', true);
      const forceSnapshot = flagOf(payload, 'forceSnapshot', false);
      const frame = terminalFrame('bind', { sessionId, includeSnapshot, forceSnapshot });
      if (!(await office.sendText(userId, producerId, frame))) {
        return refuse(connection, 'forwardFailed', 'the desktop could not be told; try again');
      }
      connection.outbox.send(terminalFrame('bound', { sessionId }), 'vital');
    },
    unbind: async (connection, payload) => {
      const sessionId = sessionIn(connection, payload);
      if (sessionId === undefined) return;
      const routes = (await ownRoutes(connection)).filter((route) => route.sessionId === sessionId);
      for (const route of routes) await drop(connection.caller.userId, route);
      if ((await desktopFor(connection)) === undefined)
        refuse(connection, 'producerNotConnected', 'Desktop is offline');
    },
    output: async ({ caller: { userId }, presence: { deviceId } }, frame) => {
      const session = terminalSessionOf(frame);
      if (session === undefined) return;
      for (const { producerId, sessionId, consumerId } of await office.routes(userId)) {
        if (producerId === deviceId && sessionId === session) await office.sendBinary(userId, consumerId, frame);
      }
    },
    restore: async ({ caller: { userId }, presence: { deviceId }, outbox }) => {
      office.forget(userId);
      const [routes, devices] = await Promise.all([office.routes(userId), office.present(userId)]);
      const isHere = (id: string): boolean => devices.some((other) => other.deviceId === id);
      const watched = routes.filter(({ producerId, consumerId }) => producerId === deviceId && isHere(consumerId));
      for (const sessionId of new Set(watched.map((route) => route.sessionId))) {
        outbox.send(terminalFrame('bind', { sessionId, includeSnapshot: true, forceSnapshot: false }), 'vital');
      }
    },
    left: async (connection) => {
      for (const route of await ownRoutes(connection)) await drop(connection.caller.userId, route);
    },
  };
};
