import { simulatedLink, type LinkOptions, type Said, type SimulatedLink } from './simulated-link.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the desktop was asked. */
export type Asked = Readonly<{ id: string; method: string; params: Json; clientId: string; idempotencyKey?: string }>;

/** What a method gives; throws for an error. */
export type Method = (params: Json, asked: Asked) => unknown;

/** The desktop app, as far as the server can tell. */
export type SimulatedDesktop = SimulatedLink &
  Readonly<{
    on: (method: string, does: Method) => void;
    /** All calls that arrived, repeated ones too. */
    asked: Asked[];
    emit: (eventType: string, payload: unknown) => boolean;
    /** What a terminal prints: sent while it is watched, else kept. */
    print: (sessionId: string, text: string) => void;
    /** Terminals that are watched, as far as it knows. */
    watched: () => readonly string[];
    /** Every bind that it was sent. */
    binds: Json[];
  }>;

type DesktopOptions = LinkOptions & Readonly<{ openSession?: string }>;

const MIB = 1024 * 1024;
const RETRIES_MS = [1_000, 2_000, 4_000, 8_000, 16_000];
/** It answers a repeated key from memory for five minutes. */
const REMEMBERED_MS = 300_000;
const CHUNK = 16 * 1024;
const SNAPSHOT = 64 * 1024;
const MOST_PENDING = 8 * MIB;

const frameOf = (sessionId: string, bytes: Buffer): Buffer => {
  const id = Buffer.from(sessionId, 'utf8');
  const head = Buffer.alloc(6);
  head.write('PTC1', 'latin1');
  head.writeUInt16BE(id.length, 4);
  return Buffer.concat([head, id, bytes]);
};

type Terminal = { all: Buffer; pending: Buffer; isBound: boolean };

export const simulatedDesktop = (options: DesktopOptions): SimulatedDesktop => {
  const methods = new Map<string, Method>([['system.ping', () => ({ pong: true })]]);
  const terminals = new Map<string, Terminal>();
  const remembered = new Map<string, Readonly<{ answer: Promise<Json>; until: number }>>();
  const unsent: Json[] = [];
  const asked: Asked[] = [];
  const binds: Json[] = [];

  const terminal = (sessionId: string): Terminal => {
    const known = terminals.get(sessionId);
    if (known !== undefined) return known;
    const fresh = { all: Buffer.alloc(0), pending: Buffer.alloc(0), isBound: false };
    terminals.set(sessionId, fresh);
    return fresh;
  };

  const sendBytes = (sessionId: string, bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at += CHUNK)
      link.sendBinary(frameOf(sessionId, bytes.subarray(at, at + CHUNK)));
  };

  const bind = (payload: Json): void => {
    binds.push(payload);
    const sessionId = String(payload['sessionId']);
    const own = terminal(sessionId);
    own.isBound = true;
    const wantsSnapshot = payload['forceSnapshot'] === true;
    if (wantsSnapshot || (payload['includeSnapshot'] === true && own.pending.length === 0)) {
      sendBytes(sessionId, own.all.subarray(-SNAPSHOT));
    } else sendBytes(sessionId, own.pending);
    own.pending = Buffer.alloc(0);
  };

  const work = async (call: Asked): Promise<Json> => {
    const does = methods.get(call.method);
    if (does === undefined) return { result: null, error: { code: -32601, message: 'no such method' } };
    try {
      return { result: await does(call.params, call), error: null };
    } catch (error) {
      return { result: null, error: { code: -32603, message: String(error) } };
    }
  };

  const answerTo = (call: Asked): Promise<Json> => {
    const key = call.idempotencyKey;
    if (key === undefined) return work(call);
    const known = remembered.get(key);
    if (known !== undefined && known.until > performance.now()) return known.answer;
    const answer = work(call);
    remembered.set(key, { answer, until: performance.now() + REMEMBERED_MS });
    return answer;
  };

  const flush = (): void => {
    while (unsent.length > 0 && link.send({ type: 'rpc.response', payload: unsent[0] })) unsent.shift();
  };

  const request = async (payload: Json): Promise<void> => {
    const call = payload as unknown as Asked;
    for (const member of ['id', 'method', 'clientId', 'userId']) {
      const value = payload[member];
      if (typeof value !== 'string' || value === '') link.violations.push(`a call without ${member}`);
    }
    if (typeof payload['params'] !== 'object') link.violations.push('a call without params');
    asked.push(call);
    unsent.push({ clientId: call.clientId, id: call.id, ...(await answerTo(call)), isFinal: true });
    flush();
  };

  const onFrame = ({ type, payload = {} }: Said): void => {
    if (type === 'rpc.request') void request(payload);
    if (type === 'terminal.binary.bind') bind(payload);
    if (type === 'terminal.binary.unbind') terminal(String(payload['sessionId'])).isBound = false;
    if (type === 'rpc.response' || type === 'terminal.binary.bound') link.violations.push(`a desktop was sent ${type}`);
  };

  const link = simulatedLink(
    {
      clientType: 'desktop',
      retryAfterMs: (attempt) => RETRIES_MS[attempt - 1] ?? 30_000,
      forgetsAttempts: false,
      registerAfterMs: 0,
      registerAgainAfterMs: 0,
      registeredWithinMs: undefined,
      fatal: new Set(),
      answersPings: true,
      largestFrame: 16 * MIB,
      heartbeat: () => ({
        ...{ status: 'online', cpuUsage: null, memoryUsage: null, diskSpaceGb: null, activeJobs: 0 },
        ...(options.openSession === undefined ? {} : { activeSessionId: options.openSession }),
      }),
      onLinked: () => {
        const sessionId = options.openSession ?? 'no-session';
        link.send({
          type: 'event',
          payload: { eventType: 'session-snapshot', payload: { sessionId, session: { id: sessionId } } },
        });
        flush();
      },
      onDropped: () => terminals.forEach((own) => (own.isBound = false)),
      onFrame,
      onBinary: () => link.violations.push('a desktop was sent bytes'),
      onError: () => undefined,
    },
    options,
  );

  return {
    ...link,
    on: (method, does) => void methods.set(method, does),
    asked,
    emit: (eventType, payload) => link.send({ type: 'event', payload: { eventType, payload } }),
    print: (sessionId, text) => {
      const own = terminal(sessionId);
      const bytes = Buffer.from(text, 'utf8');
      own.all = Buffer.concat([own.all, bytes]).subarray(-MOST_PENDING);
      if (own.isBound) sendBytes(sessionId, bytes);
      else own.pending = Buffer.concat([own.pending, bytes]).subarray(-MOST_PENDING);
    },
    watched: () => [...terminals].flatMap(([sessionId, { isBound }]) => (isBound ? [sessionId] : [])),
    binds,
  };
};
