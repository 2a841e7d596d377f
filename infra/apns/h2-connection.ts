import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';

/** An answer of a few hundred bytes; more is not read. */
export type H2Answer = Readonly<{ status: number; headers: Readonly<Record<string, unknown>>; body: string }>;

type H2Request = Readonly<{ path: string; headers: Readonly<Record<string, string>>; body: string }>;

/** A connection to one server over HTTP/2, made when it is needed and made again when it is gone. */
export type H2Connection = Readonly<{
  /** POSTs. Rejects when there is no whole answer in time, or `signal` aborts. */
  post: (request: H2Request, signal: AbortSignal) => Promise<H2Answer>;
  /** Lets what is under way end, for a moment. */
  close: () => Promise<void>;
}>;

export type H2Options = Readonly<{
  origin: string;
  /** The longest an answer may take, connecting included. */
  answerMs: number;
  /** How often a quiet connection is asked whether it is still one. */
  pingMs: number;
}>;

const CLOSE_MS = 2000;
const MOST_ANSWER = 16 * 1024;

/** Ends a connection that does not answer to a ping: behind a router that has forgotten it, nothing else would tell. */
const keepChecking = (session: ClientHttp2Session, pingMs: number): void => {
  let answered = true;
  const timer = setInterval(() => {
    if (session.connecting) return;
    if (!answered) {
      session.destroy();
      return;
    }
    answered = false;
    try {
      session.ping((error) => (answered = error === null));
    } catch {
      session.destroy();
    }
  }, pingMs).unref();
  session.once('close', () => clearInterval(timer));
};

const answerOf = (stream: ClientHttp2Stream, body: string): Promise<H2Answer> =>
  new Promise((resolve, reject) => {
    let answer: Omit<H2Answer, 'body'> | undefined;
    let text = '';
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      answer = { status: headers[':status'] ?? 0, headers };
    });
    stream.on('data', (chunk: string) => {
      if (text.length < MOST_ANSWER) text += chunk;
    });
    stream.on('error', reject);
    stream.on('end', () => {
      if (answer !== undefined) resolve({ ...answer, body: text });
    });
    // After a whole answer this says nothing any more.
    stream.on('close', () => reject(new Error(`the stream ended without an answer (code ${stream.rstCode})`)));
    stream.end(body);
  });

/** Sends over one session at a time; one that the server is leaving (GOAWAY) takes no more, and ends what it has. */
export const h2Connection = ({ origin, answerMs, pingMs }: H2Options): H2Connection => {
  let current: ClientHttp2Session | undefined;
  const open = new Set<ClientHttp2Session>();

  const session = (): ClientHttp2Session => {
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    const made = connect(origin);
    const leave = (): void => {
      if (current === made) current = undefined;
    };
    // Whatever ends it is told to the streams that it ends.
    made.on('error', leave);
    made.on('goaway', leave);
    made.on('close', () => {
      leave();
      open.delete(made);
    });
    keepChecking(made, pingMs);
    open.add(made);
    current = made;
    return made;
  };

  const post = async ({ path, headers, body }: H2Request, signal: AbortSignal): Promise<H2Answer> => {
    signal.throwIfAborted();
    const used = session();
    const stream = used.request({ ':method': 'POST', ':path': path, ...headers });
    const cancel = (): void => stream.close(constants.NGHTTP2_CANCEL);
    const timer = setTimeout(() => {
      // Never connected, or not answering at all: the next attempt gets a new connection.
      if (used.connecting) used.destroy();
      else cancel();
    }, answerMs);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await answerOf(stream, body);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  };

  const closed = (one: ClientHttp2Session): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => one.destroy(), CLOSE_MS);
      one.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (one.connecting) one.destroy();
      else one.close();
    });

  return {
    post,
    close: async () => {
      await Promise.all([...open].filter((one) => !one.destroyed).map(closed));
    },
  };
};
