import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '../../../src/kernel/logger.ts';
import { issuerKeys } from './keys.ts';
import { ownRoutes } from './own-routes.ts';
import { issuerProvider, type IssuerSettings } from './provider.ts';
import { issuerState, type IssuerState } from './state.ts';

export type IssuerOptions = IssuerSettings &
  Readonly<{
    /** 0 takes the port of the last time when it is free, else any. */
    port: number;
    /** Where browsers reach it; `http://127.0.0.1:<port>` when absent. */
    publicUrl?: string;
    /** Keeps keys and logins under way over a restart; absent: nothing is kept. */
    dataDir?: string;
    logger: Logger;
  }>;

export type LocalIssuer = Readonly<{ url: string; stop: () => Promise<void> }>;

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });

const listenAgain = async (server: Server, port: number, state: IssuerState): Promise<number> => {
  if (port !== 0) return listen(server, port);
  // Somebody else may have the old port by now.
  const taken = await listen(server, state.port() ?? 0).catch(() => listen(server, 0));
  state.keepPort(taken);
  return taken;
};

const handlerOf = (url: string, options: IssuerOptions, state: IssuerState): Handler => {
  const { logger, dataDir } = options;
  const keys = issuerKeys(dataDir === undefined ? undefined : join(dataDir, 'issuer-keys.json'));
  const provider = issuerProvider(url, options, { keys, state, logger });
  const routeOf = ownRoutes({ url, settings: options, keys, state, provider });
  const standard = provider.callback();
  return async (request, response) => {
    const target = new URL(request.url ?? '/', url);
    const own = routeOf(target.pathname);
    await (own === undefined ? standard(request, response) : own(request, response, target));
  };
};

/**
 * Starts an identity provider on loopback, with Auth0's paths, that believes everybody: for a machine of one's own and
 * nothing else. Refuses to run in production.
 */
export const startIssuer = async (options: IssuerOptions): Promise<LocalIssuer> => {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Error('the local issuer lets anybody be anybody and does not run in production; set AUTH0_DOMAIN');
  }
  const { dataDir, logger } = options;
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const state = issuerState(dataDir === undefined ? ':memory:' : join(dataDir, 'issuer.sqlite'));
  const server = createServer();
  let url = options.publicUrl;
  try {
    const port = await listenAgain(server, options.port, state);
    url ??= `http://127.0.0.1:${port}`;
  } catch (error) {
    state.close();
    throw error;
  }
  const handle = handlerOf(url, options, state);
  server.on('request', (request, response) => {
    handle(request, response).catch((error: unknown) => {
      logger.error({ err: error }, 'the local issuer failed');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    state.close();
  };
  return { url, stop };
};
