import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { whole, type Cut, type Replay } from '../providers/replaying-upstream.ts';

/** One call that a provider's double has received. */
export type Received = Readonly<{ method: string; path: string; headers: IncomingHttpHeaders; body: Buffer }>;

type Next = Replay | undefined | Promise<Replay>;

export type LocalProvider = Readonly<{
  url: string;
  received: readonly Received[];
  /** Calls whose connection was lost before they were answered. */
  lost: () => number;
  /** How calls are answered from now on; `undefined` leaves a call without an answer. */
  answer: (reply: Replay | ((call: Received) => Next), cut?: Cut) => void;
  stop: () => Promise<void>;
}>;

/** A JSON answer. */
export const jsonReply = (body: unknown, status = 200, headers: Record<string, string> = {}): Replay => ({
  status,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
  headers,
});

/** An answer of server-sent events. */
export const eventsReply = (events: readonly unknown[], end = ''): Replay => ({
  status: 200,
  contentType: 'text/event-stream',
  body: Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') + end),
});

/** A provider's double on loopback that takes bodies of any kind. */
export const localProvider = async (): Promise<LocalProvider> => {
  let reply: Replay | ((call: Received) => Next) = jsonReply({}, 500);
  let cutting: Cut = whole;
  let lost = 0;
  const received: Received[] = [];

  const send = (response: ServerResponse, { status, contentType, headers, body }: Replay): void => {
    response.writeHead(status, { 'content-type': contentType, ...headers });
    for (const piece of cutting(body)) response.write(piece);
    response.end();
  };

  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    response.on('close', () => {
      if (!response.writableFinished) lost += 1;
    });
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const call = { method, path: url, headers, body: Buffer.concat(pieces) };
      received.push(call);
      const next = typeof reply === 'function' ? reply(call) : reply;
      if (next instanceof Promise) void next.then((late) => send(response, late));
      else if (next !== undefined) send(response, next);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    lost: () => lost,
    answer: (next, cut = whole) => {
      reply = next;
      cutting = cut;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
