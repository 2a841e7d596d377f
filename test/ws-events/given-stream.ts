import { randomUUID } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { userFeed } from '../../projections/user-feed/user-feed.projection.ts';
import { followEvents } from '../../src/http/routes/events/follow-events.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { QueryRunner } from '../../src/kernel/query.ts';
import { eventHub } from '../../src/ws/event-hub.ts';
import { eventsSocket } from '../../src/ws/events-socket.ts';
import { acceptSockets } from '../../src/ws/upgrade.ts';
import { database, metadata, testProjector, until } from '../postgres/fixture.ts';
import { framesOf } from '../support/api-client.ts';
import { ada, startHttp } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

/** An event as a client reads it. */
export type Told = Readonly<{ position: string; type: string; data: Readonly<{ n?: number }> }>;

export type Reader = Readonly<{
  told: Told[];
  /** Resolves when the stream has ended, with the close code of a socket. */
  ended: Promise<number>;
  /** Resolves when the stream has greeted. */
  greeted: Promise<undefined>;
  cut: () => void;
  /** Reads no more from the network, or goes on. */
  pause: (paused: boolean) => unknown;
}>;

/** The event stream over a real projector and a real database, with a log that tests write to. */
export const startStream = async (heartbeatMs = 30_000) => {
  const store = memoryEventStore();
  const { pools, drop } = await database();
  let queries = 0;
  const inner = queryRunner(pools);
  const counting: QueryRunner = {
    asUser: (userId, query) => {
      queries += 1;
      return inner.asUser(userId, query);
    },
    asSystem: inner.asSystem,
  };
  const logHead = async (): Promise<bigint> => (await store.head())?.commit ?? 0n;
  const hub = eventHub({ queries: counting, logHead, logger: silentLogger });
  const projector = testProjector({
    projections: [userFeed],
    store,
    pools,
    limits: { max: 2000, linger: 5 },
    onAdvance: hub.grown,
  });
  projector.start();
  await until(() => projector.status().every(({ state }) => state === 'live'));
  const stopping = new AbortController();
  const session = new AbortController();
  const watch = () => ({ ended: session.signal, stop: () => undefined });
  const clock = (): Date => new Date();
  const http = await startHttp([followEvents({ hub, clock, stopping: stopping.signal, watch })]);
  acceptSockets({
    ...http.http,
    app: http.http.app,
    server: http.serving.server,
    logger: silentLogger,
    handlers: {
      '/ws/events': eventsSocket({ hub, clock, stopping: stopping.signal, watch, heartbeatMs }),
    },
    scopes: { '/ws/events': 'account' },
    maxFrameBytes: 1024,
  });

  let written = 0;
  /** Appends numbered events to a user's account; `size` letters in each. */
  const append = async (count: number, { userId = ada.userId, size = 0 } = {}): Promise<void> => {
    for (let done = 0; done < count; done += 100) {
      const events = Array.from({ length: Math.min(100, count - done) }, () => {
        const n = userId === ada.userId ? written++ : -1;
        return { id: randomUUID(), type: 'Counted', data: { n, text: 'x'.repeat(size) }, metadata: metadata() };
      });
      await store.append(`creditAccount-${userId}`, 'any', events);
    }
  };

  const take = (told: Told[], message: unknown, greeted: () => void): void => {
    greeted();
    if (typeof message === 'object' && message !== null && 'position' in message) told.push(message as Told);
  };

  const sse = (after: string | undefined, token = 'ada'): Reader => {
    const told: Told[] = [];
    const over = Promise.withResolvers<number>();
    const hello = Promise.withResolvers<undefined>();
    let answer: IncomingMessage | undefined;
    const request = get(`${http.url}/ws/events`, {
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...(after === undefined ? {} : { 'last-event-id': after }) },
    });
    request.on('response', (response: IncomingMessage) => {
      answer = response;
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const whole = (rest + text).split('\n\n');
        rest = whole.pop() ?? '';
        for (const { data } of framesOf(whole.map((frame) => `${frame}\n\n`).join('')))
          take(told, data, () => hello.resolve(undefined));
      });
      response.on('close', () => over.resolve(response.statusCode ?? 0));
    });
    request.on('error', () => over.resolve(0));
    return {
      told,
      ended: over.promise,
      greeted: hello.promise,
      cut: () => void request.destroy(),
      pause: (paused) => (paused ? answer?.pause() : answer?.resume()),
    };
  };

  const socket = (after: string | undefined, token = 'ada', options: Readonly<Record<string, unknown>> = {}) => {
    const told: Told[] = [];
    const over = Promise.withResolvers<number>();
    const hello = Promise.withResolvers<undefined>();
    const query = after === undefined ? '' : `?position=${after}`;
    const client = new WebSocket(`${http.url.replace('http', 'ws')}/ws/events${query}`, {
      headers: { Authorization: `Bearer ${token}` },
      ...options,
    });
    client.on('message', (data: Buffer) =>
      take(told, JSON.parse(data.toString('utf8')), () => hello.resolve(undefined)),
    );
    client.on('close', (code) => over.resolve(code));
    client.on('error', () => undefined);
    return {
      told,
      ended: over.promise,
      greeted: hello.promise,
      cut: () => client.terminate(),
      pause: (paused: boolean) => (paused ? client.pause() : client.resume()),
      client,
    };
  };

  return {
    url: http.url,
    store,
    hub,
    append,
    sse,
    socket,
    stopping,
    session,
    connections: () =>
      new Promise<number>((resolve, reject) => {
        http.serving.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    queries: () => queries,
    written: () => written,
    close: async () => {
      stopping.abort();
      await projector.stop();
      await http.close();
      await drop();
    },
  };
};

export type GivenStream = Awaited<ReturnType<typeof startStream>>;
