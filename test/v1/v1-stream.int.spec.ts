import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Answering, Ended } from '../../commands/completions/running-completion.ts';
import { v1Stream } from '../../src/http/routes/v1/v1-stream.ts';

const broken: Ended = {
  how: 'failed',
  endedBy: 'provider',
  finish: null,
  usage: undefined,
  charged: 0n,
  estimated: false,
  failure: new Error('the provider broke'),
  fallbackAttempted: false,
};

describe('a stream at /v1 whose client leaves while its charge is written', () => {
  it('ends all the same, when the provider had failed before the client left', async () => {
    const outcome = Promise.withResolvers<unknown>();
    const server = createServer((_request, response) => {
      const answer: Answering = {
        requestId: 'r1',
        modelId: 'sandbox/echo',
        deliver: async () => {
          await once(response, 'close');
          return broken;
        },
      };
      v1Stream(answer, { createdSeconds: 1, includeUsage: false }, response).then(
        () => outcome.resolve('no fault'),
        outcome.resolve,
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    client.on('error', () => undefined);
    client.once('response', () => client.destroy());
    try {
      expect(await outcome.promise).to.equal(broken.failure);
    } finally {
      server.close();
    }
  });
});
