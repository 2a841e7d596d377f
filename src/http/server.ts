import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { startedByTurns } from './event-loop-turns.ts';
import { refuseUnparsed, type RefusalHeaders } from './unparsed.ts';

export type ServeOptions = Readonly<{
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** How long a client may take for the head of a request. */
  headersTimeoutMs?: number;
  /** How long it may take for the whole request, which may carry a film. Other bodies have limits of their own. */
  requestTimeoutMs?: number;
  keepAliveMs?: number;
  /** What an answer to something that is no request carries; nothing when absent. */
  refusalHeaders?: RefusalHeaders;
}>;

export type Serving = Readonly<{
  server: Server;
  url: string;
  /** Accepts nothing new, waits for running requests at most `limitMs`, then cuts what is left. */
  stop: (limitMs: number) => Promise<void>;
}>;

const listening = (server: Server, host: string, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });

/** All open connections, also upgraded ones, which the server itself loses sight of. */
const connectionsOf = (server: Server): ReadonlySet<Socket> => {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
};

/** What answers requests; it settles its own failures. */
type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const wantsWebSocket = ({ headers }: IncomingMessage): boolean =>
  (headers.upgrade ?? '').split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket');

/** Requests that begin in one turn of the event loop, which takes a millisecond for each at the most. */
const BEGUN_IN_A_TURN = 32;

/** Listens. Rejects when the address is taken. */
export const serve = async (handler: Handler, options: ServeOptions): Promise<Serving> => {
  let stopping = false;
  const server = createServer({
    headersTimeout: options.headersTimeoutMs ?? 15_000,
    requestTimeout: options.requestTimeoutMs ?? 1_800_000,
    keepAliveTimeout: options.keepAliveMs ?? 300_000,
    // Node's own answer to a request without a host has no body; the host means nothing here.
    requireHostHeader: false,
    // Some clients offer HTTP/2 with every request; an offer may be passed over, and the request is answered.
    shouldUpgradeCallback: wantsWebSocket,
    connectionsCheckingInterval: Math.min(5000, options.headersTimeoutMs ?? 5000),
  });
  const open = connectionsOf(server);
  const start = startedByTurns(BEGUN_IN_A_TURN);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (stopping) response.setHeader('Connection', 'close');
    // The server closes idle connections once, when told to close; those that fall idle later are ours to close.
    response.once('close', () => {
      if (stopping) setImmediate(() => server.closeIdleConnections());
    });
    start(() => {
      // Who has left while it waited for its turn is asked for nothing.
      if (!response.destroyed) void handler(request, response);
    });
  };

  // The second event asks whether a body is welcome: the body reader says so, once nothing else refuses the request.
  server
    .on('request', handle)
    .on('checkContinue', handle)
    .on('checkExpectation', handle)
    .on('clientError', refuseUnparsed(options.refusalHeaders ?? (() => ({}))));

  const { address, family, port } = await listening(server, options.host, options.port);
  const host = family === 'IPv6' ? `[${address}]` : address;

  const stop = async (limitMs: number): Promise<void> => {
    stopping = true;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeIdleConnections();
    // A connection that was opened ahead of any request does not count as idle for the server, and would never end.
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
    const cut = setTimeout(() => open.forEach((socket) => socket.destroy()), limitMs);
    await closed;
    clearTimeout(cut);
  };
  return { server, url: `http://${host}:${port}`, stop };
};
