import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { completionClaim } from '../../commands/completions/claims/index.ts';
import { requestOfKey } from '../../commands/completions/claims/request-of-key.ts';
import { startSandbox, type Sandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import type { KeyNow } from '../../src/http/auth/key-now.ts';
import { boundlessRoom, type Room } from '../../src/http/room.ts';
import { llmEndpoints } from '../../src/http/routes/llm/index.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { llmSocket, type LlmSocketDeps, type SocketLimits } from '../../src/ws/llm-socket/llm-socket.ts';
import { acceptSockets, type Socket } from '../../src/ws/upgrade.ts';
import { givenCompletions, type GivenCompletions } from '../completions/given-completions.ts';
import { eventually } from '../support/eventually.ts';
import { startHttp } from '../support/given-http.ts';
import { memoryLogger, type LogLine } from '../support/memory-logger.ts';

/** A message of the server's. */
export type Said = Readonly<Record<string, unknown>> & Readonly<{ type: string; id: string | null }>;

/** A client of `/ws/llm` that remembers all it was told. */
export type LlmClient = Readonly<{
  socket: WebSocket;
  said: readonly Said[];
  /** The text frames as they came. */
  frames: readonly string[];
  send: (message: unknown) => void;
  /** The first message that `wanted` is true for, now or later. */
  told: (wanted: (message: Said) => boolean) => Promise<Said>;
  /** The end of a stream. */
  end: (id: string) => Promise<Said>;
  /** All messages about a stream. */
  about: (id: string) => readonly Said[];
  closed: Promise<Readonly<{ code: number; reason: string }>>;
  /** Cuts the connection without a word. */
  cut: () => void;
}>;

const ENDS = new Set(['completed', 'cancelled', 'error']);

/** True for the last message of a stream. */
export const isEnd = ({ type }: Said): boolean => ENDS.has(type);

/** Opens a socket. */
export const openClient = async (
  url: string,
  authorization: string,
  options: ClientOptions = {},
): Promise<LlmClient> => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/llm`, { headers: { authorization }, ...options });
  const said: Said[] = [];
  const frames: string[] = [];
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8');
    frames.push(text);
    said.push(JSON.parse(text) as Said);
  });
  const closed = once(socket, 'close').then(([code, reason]: unknown[]) => ({
    code: code as number,
    reason: String(reason),
  }));
  socket.on('error', () => undefined);
  await Promise.race([
    once(socket, 'open'),
    closed.then(({ code }) => Promise.reject(new Error(`the socket was closed (${code})`))),
  ]);
  const told: LlmClient['told'] = (wanted) => eventually('a message', () => said.find(wanted), 10_000);
  return {
    socket,
    said,
    frames,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    told,
    end: (id) => told((message) => message.id === id && isEnd(message)),
    about: (id) => said.filter((message) => message.id === id),
    closed,
    cut: () => socket.terminate(),
  };
};

export type GivenSocket = GivenCompletions &
  Readonly<{
    url: string;
    /** What the socket's side logged. */
    logged: readonly LogLine[];
    /** Faults among it. */
    faults: readonly LogLine[];
    stopping: AbortController;
    /** Closes all sockets, as a deploy does. */
    closeSockets: () => void;
    endSession: () => void;
    connect: (as?: string, options?: ClientOptions) => Promise<LlmClient>;
    close: () => Promise<void>;
  }>;

type Options = Parameters<typeof givenCompletions>[1] &
  Readonly<{
    limits?: Partial<SocketLimits>;
    gate?: LlmSocketDeps['gate'];
    room?: Room;
    arrivals?: Room;
    keyNow?: KeyNow;
  }>;

const pause = (): Promise<void> => Promise.resolve();
const clock = (): Date => new Date();

/** The socket over a real server, with this provider behind it. */
export const givenSocket = async (upstream: ChatUpstream, options: Options = {}): Promise<GivenSocket> => {
  const { limits = {}, gate, room = boundlessRoom, arrivals = boundlessRoom, keyNow, ...rest } = options;
  const given = await givenCompletions(upstream, rest);
  const http = await startHttp(llmEndpoints(given));
  const stopping = new AbortController();
  const session = new AbortController();
  const { logger, lines } = memoryLogger();
  const handler = llmSocket({
    ...given,
    requestOfKey: requestOfKey(commandHandler(completionClaim, { store: given.store, logger, pause })),
    gate: gate ?? http.http.gate,
    room,
    keyNow: keyNow ?? ((caller) => Promise.resolve(caller)),
    watch: () => ({ ended: session.signal, stop: () => undefined }),
    stopping: stopping.signal,
    newId: randomUUID,
    clock,
    logger,
    limits,
  });
  const open = new Set<Socket>();
  acceptSockets({
    app: http.http.app,
    server: http.serving.server,
    gate: http.http.gate,
    logger,
    scopes: { '/ws/llm': 'chat' },
    maxFrameBytes: 256 * 1024,
    room: arrivals,
    activity: http.http.activity,
    refusalHeaders: http.http.refusalHeaders,
    handlers: {
      '/ws/llm': (socket, ...rest) => {
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        return handler(socket, ...rest);
      },
    },
  });
  const clients: LlmClient[] = [];
  return {
    ...given,
    url: http.url,
    logged: lines,
    get faults() {
      return lines.filter(({ level }) => level === 'error');
    },
    stopping,
    closeSockets: () => open.forEach((socket) => socket.close(1012)),
    endSession: () => session.abort(),
    connect: async (as = 'ada', clientOptions = {}) => {
      const client = await openClient(http.url, `Bearer ${as}`, clientOptions);
      clients.push(client);
      return client;
    },
    close: async () => {
      clients.forEach(({ cut }) => cut());
      await eventually('all sockets to close', () => (open.size === 0 ? true : undefined));
      await given.completions.shutdown({ graceMs: 0, limitMs: 2_000 });
      await given.answers.close(2_000);
      await http.close();
    },
  };
};

export type GivenSandbox = GivenSocket & Readonly<{ sandbox: Sandbox }>;

/** The socket with the sandbox as its provider. */
export const givenSandbox = async (options: Options = {}): Promise<GivenSandbox> => {
  const sandbox = await startSandbox({ port: 0 });
  const upstream = sandboxUpstream({ baseUrl: sandbox.url, clock });
  const given = await givenSocket(upstream, options);
  return {
    ...given,
    sandbox,
    close: async () => {
      await given.close();
      await upstream.close();
      await sandbox.stop();
    },
  };
};

type Chunk = Readonly<{ choices: readonly { delta: { content?: string } }[] }>;

/** All text of a stream's chunks. */
export const textOf = (messages: readonly Said[]): string =>
  messages
    .filter(({ type }) => type === 'chunk')
    .map((message) => (message['chunk'] as Chunk).choices.map(({ delta }) => delta.content ?? '').join(''))
    .join('');

/** A body that the sandbox echoes. */
export const asking = (content: string, over: object = {}): object => ({
  model: 'sandbox/echo',
  messages: [{ role: 'user', content }],
  max_tokens: 200,
  ...over,
});
