import { once } from 'node:events';
import { createServer, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A push as the double got it. */
export type ReceivedPush = Readonly<{
  token: string;
  headers: Readonly<Record<string, string>>;
  payload: Readonly<Record<string, unknown>>;
  /** Counts connections, from 1. */
  connection: number;
}>;

/** What the double does with a push: answers, never answers, drops the connection, or leaves it with GOAWAY first. */
export type ApnsAnswer =
  | Readonly<{ status: number; reason?: string; timestamp?: number; retryAfter?: string; goaway?: boolean }>
  | 'hang'
  | 'drop';

export type ApnsDouble = Readonly<{
  url: string;
  /** Everything that came, oldest first. */
  received: readonly ReceivedPush[];
  /** Answers from now on; the second argument counts pushes to that token, from 1. */
  answerWith: (answer: (push: ReceivedPush, nth: number) => ApnsAnswer | Promise<ApnsAnswer>) => void;
  /** Forgets what came, and takes everything again. */
  clear: () => void;
  connections: () => number;
  /** The most pushes that were unanswered at once. */
  mostAtOnce: () => number;
  /** Resolves when so many pushes have come. */
  got: (count: number) => Promise<void>;
  close: () => Promise<void>;
}>;

const textOf = async (stream: ServerHttp2Stream): Promise<string> => {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += String(chunk);
  return text;
};

/** Apple's push service over HTTP/2 without TLS, on a free port. Takes everything unless told otherwise. */
export const startApnsDouble = async (): Promise<ApnsDouble> => {
  const received: ReceivedPush[] = [];
  const numbers = new Map<Http2Session, number>();
  const waiting = new Set<() => void>();
  let answer: (push: ReceivedPush, nth: number) => ApnsAnswer | Promise<ApnsAnswer> = () => ({ status: 200 });
  let now = 0;
  let most = 0;

  const reply = (
    stream: ServerHttp2Stream,
    session: ServerHttp2Session,
    given: Exclude<ApnsAnswer, 'hang' | 'drop'>,
  ) => {
    if (stream.destroyed) return;
    if (given.goaway === true) session.goaway();
    const { status, reason, timestamp, retryAfter } = given;
    stream.respond({ ':status': status, ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) });
    stream.end(status === 200 ? '' : JSON.stringify({ reason, timestamp }));
  };

  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    numbers.set(session, numbers.size + 1);
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const session = stream.session as ServerHttp2Session;
    stream.on('error', () => undefined);
    now += 1;
    most = Math.max(most, now);
    void textOf(stream).then(
      async (text) => {
        const token = decodeURIComponent(String(headers[':path']).replace('/3/device/', ''));
        const push: ReceivedPush = {
          token,
          headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
          payload: JSON.parse(text) as ReceivedPush['payload'],
          connection: numbers.get(session) ?? 0,
        };
        received.push(push);
        for (const wake of waiting) wake();
        const given = await answer(push, received.filter((one) => one.token === token).length);
        now -= 1;
        if (given === 'hang') return;
        if (given === 'drop') session.destroy();
        else reply(stream, session, given);
      },
      () => (now -= 1),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answerWith: (next) => {
      answer = next;
    },
    clear: () => {
      received.length = 0;
      answer = () => ({ status: 200 });
    },
    connections: () => numbers.size,
    mostAtOnce: () => most,
    got: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (received.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
