import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Two sockets that a relay connects. */
export type Pair = Readonly<{ phone: WebSocket; desktop: WebSocket; phoneId: string; userId: string }>;

/** What is sent over and over, one message of a pair at a time. */
export type Kind = 'calls' | 'events' | 'terminals';

export type Load = Readonly<{ messagesPerSecond: number; p50: number; p99: number }>;

const PARAMS = { sessionId: 'a-session', query: 'the quick brown fox', limit: 50, filters: ['one', 'two', 'three'] };
const RESULT = {
  files: Array.from({ length: 8 }, (_, n) => ({ path: `/home/ada/project/src/file-${n}.ts`, size: n * 100 })),
};

const callOf = ({ phoneId, userId }: Pair, isBare: boolean): string => {
  const payload = { id: 'call-1', method: 'files.search', params: PARAMS };
  return JSON.stringify({ type: 'rpc.request', payload: isBare ? { ...payload, clientId: phoneId, userId } : payload });
};

const answerOf = ({ phoneId }: Pair): string =>
  JSON.stringify({
    type: 'rpc.response',
    payload: { clientId: phoneId, id: 'call-1', result: RESULT, error: null, isFinal: true },
  });

const eventOf = (): string =>
  JSON.stringify({
    type: 'event',
    payload: {
      eventType: 'job:response-appended',
      payload: { jobId: 'job-1', sessionId: 'a-session', chunk: 'some words of an answer ', accumulatedLength: 4_711 },
    },
  });

const terminalFrame = (): Buffer => {
  const id = Buffer.from('term-1');
  return Buffer.concat([Buffer.from('PTC1'), Buffer.from([0, id.length]), id, Buffer.alloc(1024, 'x')]);
};

const OPEN_AT_ONCE = 50;

const opened = async (url: string, headers: Readonly<Record<string, string>>): Promise<WebSocket> => {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
};

const said = (socket: WebSocket, type: string): Promise<void> =>
  new Promise((resolve) => {
    const look = (data: Buffer): void => {
      if (!data.toString('utf8', 0, 60).includes(type)) return;
      socket.off('message', look);
      resolve();
    };
    socket.on('message', look);
  });

const linked = async (url: string, userId: string, deviceId: string, clientType: string): Promise<WebSocket> => {
  const headers = { authorization: `Bearer ${userId}`, 'x-client-type': clientType };
  const socket = await opened(url, clientType === 'desktop' ? { ...headers, 'x-device-id': deviceId } : headers);
  const registered = said(socket, 'registered');
  socket.send(JSON.stringify({ type: 'register', payload: { deviceId } }));
  await registered;
  return socket;
};

const openPair = async (url: string, isBare: boolean): Promise<Pair> => {
  const [userId, phoneId] = [randomUUID(), randomUUID()];
  const desktop = isBare ? await opened(`${url}/${userId}`, {}) : await linked(url, userId, randomUUID(), 'desktop');
  const phone = isBare ? await opened(`${url}/${userId}`, {}) : await linked(url, userId, phoneId, 'mobile');
  if (!isBare) {
    const bound = said(phone, 'terminal.binary.bound');
    phone.send(JSON.stringify({ type: 'terminal.binary.bind', payload: { sessionId: 'term-1' } }));
    await bound;
  }
  return { phone, desktop, phoneId, userId };
};

/** Opens so many pairs. A bare relay pairs by path; the link by user, and gets a terminal bound. */
export const openPairs = async (url: string, count: number, isBare: boolean): Promise<readonly Pair[]> => {
  const pairs: Pair[] = [];
  while (pairs.length < count) {
    const some = Math.min(OPEN_AT_ONCE, count - pairs.length);
    pairs.push(...(await Promise.all(Array.from({ length: some }, () => openPair(url, isBare)))));
  }
  return pairs;
};

const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

/** Lets each pair send one message after the other for a while: the next when the last has come. */
export const runLoad = async (
  pairs: readonly Pair[],
  kind: Kind,
  isBare: boolean,
  milliseconds: number,
): Promise<Load> => {
  const times: number[] = [];
  let running = true;
  const event = eventOf();
  const bytes = terminalFrame();
  const isOurs = (data: Buffer, isBinary: boolean): boolean =>
    kind === 'terminals'
      ? isBinary
      : !isBinary && data.toString('latin1', 0, 14) === (kind === 'calls' ? '{"type":"rpc.r' : '{"type":"event');
  const stops = pairs.map((pair) => {
    const { phone, desktop } = pair;
    const call = callOf(pair, isBare);
    const answer = answerOf(pair);
    let since = 0;
    const start = (): void => {
      since = performance.now();
      if (kind === 'calls') phone.send(call);
      else desktop.send(kind === 'events' ? event : bytes);
    };
    const atPhone = (data: Buffer, isBinary: boolean): void => {
      if (!isOurs(data, isBinary)) return;
      times.push(performance.now() - since);
      if (running) start();
    };
    const atDesktop = (data: Buffer, isBinary: boolean): void => {
      if (kind === 'calls' && isOurs(data, isBinary)) desktop.send(answer);
    };
    phone.on('message', atPhone);
    desktop.on('message', atDesktop);
    start();
    return () => {
      phone.off('message', atPhone);
      desktop.off('message', atDesktop);
    };
  });
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  running = false;
  const seconds = (performance.now() - began) / 1000;
  const measured = times.toSorted((a, b) => a - b);
  // What is under way arrives before the next round begins.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  stops.forEach((stop) => stop());
  const each = kind === 'calls' ? 2 : 1;
  return {
    messagesPerSecond: (measured.length * each) / seconds,
    p50: percentile(measured, 0.5),
    p99: percentile(measured, 0.99),
  };
};
