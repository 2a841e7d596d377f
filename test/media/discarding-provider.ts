import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type DiscardingProvider = Readonly<{
  url: string;
  /** Bytes of the files that were handed over. */
  uploaded: () => number;
  stop: () => Promise<void>;
}>;

const lengthOf = async (request: IncomingMessage, onBytes: (length: number) => void): Promise<number> => {
  let length = 0;
  for await (const piece of request) {
    length += (piece as Buffer).length;
    onBytes(length);
  }
  return length;
};

const FILE = { file: { name: 'files/f1', uri: 'https://files/f1', state: 'ACTIVE' } };
const ANSWER = {
  candidates: [{ content: { parts: [{ text: 'Something.' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 3 },
};

/** A double of Google's API that counts the bytes of files and keeps none of them; tells how many have come. */
export const discardingProvider = async (onBytes: (length: number) => void): Promise<DiscardingProvider> => {
  let uploaded = 0;
  const server = createServer((request, response) => {
    const { url = '', headers } = request;
    const reply = (body: unknown, more: Record<string, string> = {}): void => {
      response.writeHead(200, { 'content-type': 'application/json', ...more });
      response.end(JSON.stringify(body));
    };
    void lengthOf(request, onBytes).then((length) => {
      if (url === '/upload/v1beta/files') return reply({}, { 'x-goog-upload-url': '/upload/here' });
      if (headers['x-goog-upload-offset'] === undefined) return reply(url.includes(':generate') ? ANSWER : {});
      uploaded += length;
      reply(FILE);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    uploaded: () => uploaded,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
