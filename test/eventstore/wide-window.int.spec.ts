import { expect } from 'chai';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connectEventStore } from '../../infra/eventstore/event-store.ts';
import { WINDOW_BYTES } from '../../infra/eventstore/wide-window.ts';
import { eventually } from '../support/eventually.ts';

describe('the connection to the event store', () => {
  const sessions: ServerHttp2Session[] = [];
  let server: Http2Server;
  let port: number;

  before(async () => {
    server = createServer();
    server.on('session', (session) => sessions.push(session));
    // A node that is not ready.
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' }, { endStream: true });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });

  after(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('lets the node send ahead, for each call and for all of them, also when it had to be made anew', async () => {
    const store = connectEventStore(`esdb://127.0.0.1:${port}?tls=false&keepAliveInterval=-1`);
    try {
      for (const nth of [1, 2]) {
        expect(await store.ping().catch((error: unknown) => error)).to.be.an('error');
        const session = await eventually(`connection ${nth}`, () => sessions[nth - 1]);
        expect(session.remoteSettings.initialWindowSize).to.equal(WINDOW_BYTES);
        await eventually('the window of the whole', () =>
          (session.state.remoteWindowSize ?? 0) >= WINDOW_BYTES ? true : undefined,
        );
      }
    } finally {
      await store.close();
    }
  });
});
