import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server on which connections can be made to hang: they stay open, and nothing goes through any more. */
export type FreezingProxy = Readonly<{
  port: number;
  /** Freezes the connections of now; later ones work. */
  freeze: () => void;
  close: () => void;
}>;

/** Starts a proxy to a port of this machine. */
export const freezingProxy = (target: number): Promise<FreezingProxy> => {
  const sockets = new Set<Socket>();
  const open = (client: Socket): void => {
    const upstream = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => to.write(chunk));
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  };
  const server = createServer(open);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        freeze: () => {
          for (const socket of sockets) socket.removeAllListeners('data').removeAllListeners('close').pause();
        },
        close: () => {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
};
