import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type Koa from 'koa';
import websockify from 'koa-websocket';
import type { WebSocket } from 'ws';
import type { ApiKeyScope } from '../events/api-key/api-key.events.ts';
import { checkKeyScope } from '../http/admission.ts';
import type { ActivityMeter } from '../http/activity.ts';
import type { Caller } from '../http/endpoint.ts';
import { credentialsOf, type Gate } from '../http/gate.ts';
import { refuseWhenOver } from '../http/limits.ts';
import { problemOf } from '../http/problem.ts';
import { requestIdOf } from '../http/request-id.ts';
import { refuseOnSocket, type RefusalHeaders } from '../http/unparsed.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { boundlessRoom, type Room } from '../http/room.ts';
import { boundArrivals } from './arrivals.ts';

/** What handlers use of a socket of `ws`. */
export type Socket = Pick<
  WebSocket,
  'send' | 'ping' | 'close' | 'terminate' | 'on' | 'once' | 'off' | 'bufferedAmount' | 'readyState' | 'pause' | 'resume'
>;

/** The request that opened a socket. */
export type Opening = Readonly<{
  requestId: string;
  /** The client's address. */
  ip: string;
  /** See Call.header. */
  header: (name: string) => string | undefined;
  /** How many bytes have come over the connection so far. */
  bytesRead: () => number;
}>;

/**
 * Serves one socket until it closes. What it throws is logged, and closes the socket. It must listen to the socket
 * before it first waits: what arrives before that is lost.
 */
export type SocketHandler = (socket: Socket, caller: Caller, url: URL, opening: Opening) => Promise<void>;

export type UpgradeOptions = Readonly<{
  app: Koa;
  server: Server;
  gate: Gate;
  logger: Logger;
  /** By path. */
  handlers: Readonly<Record<string, SocketHandler>>;
  /** What an API key must be good for to open a socket, by path; no API key may where none is named. */
  scopes: Readonly<Record<string, ApiKeyScope>>;
  maxFrameBytes: number;
  /** Bounds what is in memory of messages that have not come to their end; nothing does when absent. */
  room?: Room;
  activity: Pick<ActivityMeter, 'socketOpened'>;
  refusalHeaders: RefusalHeaders;
}>;

type Admitted = Opening & Readonly<{ caller: Caller }>;

const INTERNAL_ERROR = 1011;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;
const TOO_MANY = 429;

/** How a socket is closed whose handler has thrown. */
const closeCodeOf = (fault: boolean, status: number): number => {
  if (fault) return INTERNAL_ERROR;
  return status === TOO_MANY ? TRY_AGAIN_LATER : POLICY_VIOLATION;
};
const CLOSE_WITHIN_MS = 5_000;

const BASE = 'http://server';
const urlOf = (request: IncomingMessage): URL => new URL(request.url ?? '/', BASE);

/** Apart from the request, which a listener of its own would keep for as long as the socket lives. */
const endOnError = (socket: Duplex): void => void socket.on('error', () => socket.destroy());

/** Apart from the request, like the above. */
const bytesReadOf = (connection: IncomingMessage['socket']) => (): number => connection.bytesRead;

const headerIn =
  (headers: IncomingMessage['headersDistinct']) =>
  (name: string): string | undefined => {
    const values = headers[name];
    return values?.length === 1 ? values[0] : undefined;
  };

/**
 * Puts koa-websocket behind the same gate as every other request: limits and credentials are checked before the upgrade,
 * where a refusal still is an HTTP answer with the envelope. Its own `listen` would upgrade first and ask later, and it
 * loses what a handler throws, so both are done here.
 */
export const acceptSockets = (options: UpgradeOptions) => {
  const { app, server, gate, logger, handlers, scopes, room = boundlessRoom } = options;
  const sockets = websockify(app).ws;
  const openings = new WeakMap<IncomingMessage, Admitted>();

  /** Holds nothing for the life of a socket but what it needs to say why it failed. */
  const closing = (websocket: Socket, path: string) => (error: unknown) => {
    const { fault, status, error: refusal } = problemOf(error);
    if (fault) logger.error({ err: error, path }, 'a socket failed');
    websocket.close(closeCodeOf(fault, status), refusal.message.slice(0, 120));
  };

  sockets.use(({ websocket, req }) => {
    const opening = openings.get(req);
    const url = urlOf(req);
    const handler = handlers[url.pathname];
    if (opening === undefined || handler === undefined) {
      websocket.close(POLICY_VIOLATION);
      return Promise.resolve();
    }
    // Not waited for: the request and its context would be kept for as long as the socket lives.
    const { caller, ...rest } = opening;
    new Promise((resolve) => {
      resolve(handler(websocket, caller, url, rest));
    }).catch(closing(websocket, url.pathname));
    return Promise.resolve();
  });
  sockets.listen({ noServer: true, maxPayload: options.maxFrameBytes });

  let isClosing = false;
  const admit = async (request: IncomingMessage): Promise<Caller> => {
    if (!URL.canParse(request.url ?? '/', BASE))
      throw new DomainError('bad_request', 'the address of the request is none');
    const { pathname } = urlOf(request);
    if (isClosing) throw new DomainError('service_unavailable', 'this instance is going away; connect again');
    if (!Object.hasOwn(handlers, pathname)) {
      throw new DomainError('not_found', 'there is no WebSocket at this path; see the documentation');
    }
    const ip = gate.addressOf(request);
    refuseWhenOver(await gate.countAddress('socket', ip), 'too many requests from this address');
    const caller = await gate.prove(credentialsOf(request, pathname), ip);
    checkKeyScope(caller, scopes[pathname]);
    return caller;
  };

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const requestId = requestIdOf(request.headersDistinct['x-request-id']?.[0]);
    endOnError(socket);
    admit(request).then(
      (caller) => {
        const header = headerIn(request.headersDistinct);
        const bytesRead = bytesReadOf(request.socket);
        openings.set(request, { caller, requestId, ip: gate.addressOf(request), header, bytesRead });
        if (isClosing) return void socket.destroy();
        sockets.server?.handleUpgrade(request, socket, head, (websocket) => {
          websocket.once('close', options.activity.socketOpened());
          boundArrivals(socket, websocket, () => room(caller.userId));
          logger.info({ requestId, userId: caller.userId, path: urlOf(request).pathname }, 'socket opened');
          sockets.server?.emit('connection', websocket, request);
        });
      },
      (error: unknown) => {
        const problem = problemOf(error);
        if (problem.fault) logger.error({ err: error, requestId }, 'an upgrade failed');
        const headers = options.refusalHeaders(request.headers.origin ?? '');
        refuseOnSocket(socket, problem, { requestId, headers });
      },
    );
  });

  /** Closes every socket with `code`, and accepts none any more; clients come back to another instance. */
  const closeAll = (code: number): void => {
    isClosing = true;
    const open = [...(sockets.server?.clients ?? [])];
    for (const client of open) client.close(code);
    // A peer that does not answer is not there.
    setTimeout(() => open.forEach((client) => client.terminate()), CLOSE_WITHIN_MS).unref();
  };
  return { closeAll, open: (): number => sockets.server?.clients.size ?? 0 };
};
