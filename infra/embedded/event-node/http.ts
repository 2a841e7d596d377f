import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HealthServer = { port: number; close: () => Promise<void> };

/** Answers `/health/live`, `/health/ready` and `/metrics` over plain HTTP; rejects when the address is taken. */
export const startHealthServer = async (
  address: { host: string; port: number },
  source: { isReady: () => boolean; metrics: () => string },
): Promise<HealthServer> => {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    const ready = source.isReady();
    switch (request.url) {
      case '/health/live':
        return send(200, 'application/json', '{"status":"live"}');
      case '/health/ready':
        return send(ready ? 200 : 503, 'application/json', `{"status":"${ready ? 'ready' : 'stopping'}"}`);
      case '/metrics':
        return send(200, 'text/plain; version=0.0.4', source.metrics());
      default:
        return send(404, 'application/json', '{"status":"not found"}');
    }
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
