import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How an answer's bytes are cut into pieces. */
export type Cut = (body: Buffer) => readonly Buffer[];

export const whole: Cut = (body) => [body];

export const byteByByte: Cut = (body) => Array.from(body, (byte) => Buffer.of(byte));

/** Pieces of 1 to 40 bytes, the same for the same seed. */
export const randomly =
  (seed: number): Cut =>
  (body) => {
    const pieces: Buffer[] = [];
    let state = seed;
    for (let from = 0; from < body.length;) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      const to = from + 1 + (state % 40);
      pieces.push(body.subarray(from, to));
      from = to;
    }
    return pieces;
  };

/** What the server answers next, and what it was asked. */
export type Replay = Readonly<{ status: number; contentType: string; body: Buffer; headers?: Record<string, string> }>;

export type Asked = Readonly<{ path: string; headers: Record<string, unknown>; body: Record<string, unknown> }>;

export type ReplayingUpstream = Readonly<{
  url: string;
  asked: readonly Asked[];
  answer: (replay: Replay | ((asked: Asked) => Replay), cut?: Cut) => void;
  stop: () => Promise<void>;
}>;

/** A provider's double on loopback that answers every call with the same recorded bytes. */
export const replayingUpstream = async (): Promise<ReplayingUpstream> => {
  let next: Replay | ((asked: Asked) => Replay) = { status: 500, contentType: 'text/plain', body: Buffer.of() };
  let cutting: Cut = whole;
  const asked: Asked[] = [];
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const call = {
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>,
      };
      asked.push(call);
      const replay = typeof next === 'function' ? next(call) : next;
      response.writeHead(replay.status, { 'content-type': replay.contentType, ...replay.headers });
      // Each piece is a chunk of its own on the wire, so the reader gets them one by one.
      for (const piece of cutting(replay.body)) response.write(piece);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (replay, cut = whole) => {
      next = replay;
      cutting = cut;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
