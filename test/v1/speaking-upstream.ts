import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = Readonly<{
  path: string;
  body: Readonly<Record<string, unknown>>;
  /** Its Content-Length. */
  length: string | undefined;
}>;

/** What the double does with the next calls. */
export type Answer =
  | Readonly<{ frames: readonly string[]; /** Says no more than so many until `goOn`. */ stallAfter?: number }>
  | Readonly<{ status: number; body: object; headers?: Readonly<Record<string, string>> }>;

/** A provider's double that streams frames, and notes what was asked and who left. */
export type SpeakingUpstream = Readonly<{
  url: string;
  asked: readonly Asked[];
  answer: (answer: Answer | ((asked: Asked) => Answer)) => void;
  /** Says the rest to those who stalled. */
  goOn: () => void;
  /** How many calls were left before their end. */
  left: () => number;
  stop: () => Promise<void>;
}>;

type Stalled = Readonly<{ response: ServerResponse; rest: readonly string[] }>;

/** Starts a double on a free port of loopback. */
export const speakingUpstream = async (): Promise<SpeakingUpstream> => {
  const asked: Asked[] = [];
  const stalled: Stalled[] = [];
  let next: Answer | ((asked: Asked) => Answer) = { status: 500, body: {} };
  let left = 0;

  const reply = (response: ServerResponse, answer: Answer): void => {
    if ('status' in answer) {
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(JSON.stringify(answer.body));
      return;
    }
    const { frames, stallAfter = frames.length } = answer;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const frame of frames.slice(0, stallAfter)) response.write(frame);
    const rest = frames.slice(stallAfter);
    if (rest.length === 0) response.end();
    else stalled.push({ response, rest });
  };

  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    response.on('close', () => {
      if (!response.writableFinished) left += 1;
    });
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString();
      const length = request.headers['content-length'];
      const call = { length, path: request.url ?? '', body: text === '' ? {} : (JSON.parse(text) as Asked['body']) };
      asked.push(call);
      reply(response, typeof next === 'function' ? next(call) : next);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (answer) => {
      next = answer;
    },
    goOn: () => {
      for (const { response, rest } of stalled.splice(0)) response.end(rest.join(''));
    },
    left: () => left,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
