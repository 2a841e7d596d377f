import { randomUUID } from 'node:crypto';
import { eventually } from './eventually.ts';
import { simulatedLink, type LinkOptions, type Said, type SimulatedLink } from './simulated-link.ts';

type Json = Readonly<Record<string, unknown>>;

/** How a call ended for the app. */
export type Answer = Readonly<{
  id: string;
  result: unknown;
  error: Readonly<{ code: number; message: string }> | null;
}>;

type Pending = Readonly<{ resolve: (answer: Answer) => void; parts: Json[] }>;

type CallOptions = Readonly<{ id?: string; timeoutMs?: number; idempotencyKey?: string | null }>;

/** The iOS app, as far as the server can tell. */
export type SimulatedPhone = SimulatedLink &
  Readonly<{
    /** Resolves with the final answer; rejects when none comes within the app's limit for the method. */
    call: (method: string, params?: unknown, options?: CallOptions) => Promise<Answer>;
    /** Resolves when the desktop has answered a `system.ping` over the link that there is now. */
    connected: () => Promise<void>;
    isConnected: () => boolean;
    /** Resolves with the acknowledgement; binds again by itself after a reconnect. */
    watch: (sessionId: string) => Promise<void>;
    unwatch: (sessionId: string) => void;
    /** What a terminal has shown. */
    output: (sessionId: string) => string;
    /** Answers that came for a call without one waiting: repeated ones. */
    repeated: () => number;
    emit: (eventType: string, payload: unknown) => boolean;
    background: () => Promise<void>;
    foreground: () => void;
  }>;

type PhoneOptions = LinkOptions &
  Readonly<{
    activeSessionId?: () => string | undefined;
    /** Gets a new token after `authRequired`. */
    refresh?: () => void;
  }>;

const FATAL = new Set([
  'invalidPayload',
  'invalidDeviceId',
  'authRequired',
  'deviceOwnershipFailed',
  'missingMethod',
  'invalidRpcPayload',
  'missingScope',
  'missingTargetDeviceId',
  'invalidRelayEnvelope',
  'invalidParams',
]);

const RETRIES_MS = [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
const PING_MS = 3_000;
const MIB = 1024 * 1024;

const timeoutOf = (method: string): number => {
  if (method === 'system.ping') return PING_MS;
  if (/^(files\.search|job\.(list|get)|session\..*History.*)$/.test(method)) return 90_000;
  if (/^(session\.(list|get|update)|terminal\.start)$/.test(method)) return 60_000;
  return 30_000;
};

const isReading = (method: string): boolean => /^(system\.ping|.*\.(get|list|search|read).*)$/.test(method);

/** Text of a terminal frame with the session that it is of; undefined when the app could not read it. */
const terminalFrame = (frame: Buffer): readonly [string, Buffer] | undefined => {
  if (frame.length < 7 || frame.toString('latin1', 0, 4) !== 'PTC1') return undefined;
  const length = frame.readUInt16BE(4);
  return [frame.toString('utf8', 6, 6 + length), frame.subarray(6 + length)];
};

export const simulatedPhone = (options: PhoneOptions): SimulatedPhone => {
  const pending = new Map<string, Pending>();
  const shown = new Map<string, Buffer[]>();
  const watched = new Set<string>();
  const bound = new Set<string>();
  let repeated = 0;
  let connectedOver = 0;

  const faultIn = (payload: Json): string | undefined => {
    const error = payload['error'] as Readonly<{ code?: unknown; message?: unknown }> | null;
    if (typeof payload['id'] !== 'string') return 'an answer without the id of its call';
    if ('clientId' in payload) return 'an answer with the desktop’s clientId';
    if (typeof payload['isFinal'] !== 'boolean') return 'an answer without isFinal';
    if (error !== null && (!Number.isInteger(error.code) || typeof error.message !== 'string')) return 'a bad error';
    return undefined;
  };

  const answered = (payload: Json): void => {
    const fault = faultIn(payload);
    if (fault !== undefined) link.violations.push(fault);
    const id = String(payload['id']);
    const waiting = pending.get(id);
    if (waiting === undefined) {
      repeated += 1;
      return;
    }
    waiting.parts.push(payload);
    if (payload['isFinal'] !== true && payload['error'] === null) return;
    pending.delete(id);
    waiting.resolve({ id, result: payload['result'], error: payload['error'] as Answer['error'] });
  };

  const askForTerminal = (sessionId: string): void => {
    link.send({
      type: 'terminal.binary.bind',
      payload: { sessionId, includeSnapshot: true, forceSnapshot: false },
    });
  };

  const verify = async (): Promise<void> => {
    const over = link.links();
    const { result } = await call('system.ping', {}).catch(() => ({ result: undefined }));
    if ((result as Json | undefined)?.['pong'] === true && over === link.links()) connectedOver = over;
  };

  const onFrame = ({ type, payload = {} }: Said): void => {
    if (type === 'rpc.response') answered(payload);
    if (type === 'rpc.request') link.violations.push('a phone was asked');
    if (type === 'terminal.binary.bound') bound.add(String(payload['sessionId']));
    if (type !== 'event' || payload['eventType'] !== 'device-status') return;
    const status = payload['payload'] as Json;
    if (status['status'] === 'online' && !isConnected()) void verify();
  };

  const link = simulatedLink(
    {
      clientType: 'mobile',
      retryAfterMs: (attempt) => Math.max(500, RETRIES_MS[attempt - 1] ?? 30_000) * (0.85 + Math.random() * 0.3),
      forgetsAttempts: true,
      registerAfterMs: 100,
      registerAgainAfterMs: 200,
      registeredWithinMs: 10_000,
      fatal: FATAL,
      answersPings: false,
      largestFrame: 32 * MIB,
      heartbeat: () => {
        const activeSessionId = options.activeSessionId?.();
        return activeSessionId === undefined ? {} : { activeSessionId };
      },
      onLinked: () => {
        void verify();
        watched.forEach(askForTerminal);
      },
      onDropped: () => bound.clear(),
      onFrame,
      onBinary: (frame) => {
        const read = terminalFrame(frame);
        if (read === undefined) return void link.violations.push('a binary frame that is no terminal’s');
        const [sessionId, bytes] = read;
        shown.set(sessionId, [...(shown.get(sessionId) ?? []), Buffer.from(bytes)]);
      },
      onError: (code) => {
        if (code === 'authRequired') options.refresh?.();
      },
    },
    { silenceMs: 45_000, ...options },
  );

  const isConnected = (): boolean => link.isLinked() && connectedOver === link.links();

  const call: SimulatedPhone['call'] = (method, params = {}, given = {}) => {
    const { id = randomUUID(), timeoutMs = timeoutOf(method) } = given;
    const key = given.idempotencyKey === undefined && !isReading(method) ? id : given.idempotencyKey;
    const sent = link.send({
      type: 'rpc.request',
      payload: { id, method, params, ...(typeof key === 'string' ? { idempotencyKey: key } : {}) },
    });
    if (!sent) return Promise.reject(new Error('there is no link'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.delete(id);
        reject(new Error(`no answer to ${method} ${id} within ${timeoutMs} ms`));
      }, timeoutMs);
      const done = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      pending.set(id, { resolve: done, parts: [] });
    });
  };

  return {
    ...link,
    call,
    isConnected,
    connected: async () => {
      await eventually('the desktop answers', () => (isConnected() ? true : undefined), 15_000);
    },
    watch: async (sessionId) => {
      watched.add(sessionId);
      bound.delete(sessionId);
      askForTerminal(sessionId);
      await eventually(`${sessionId} is bound`, () => (bound.has(sessionId) ? true : undefined), 10_000);
    },
    unwatch: (sessionId) => {
      watched.delete(sessionId);
      link.send({ type: 'terminal.binary.unbind', payload: { sessionId } });
    },
    output: (sessionId) => Buffer.concat(shown.get(sessionId) ?? []).toString('utf8'),
    repeated: () => repeated,
    emit: (eventType, payload) => link.send({ type: 'event', payload: { eventType, payload } }),
    background: link.stop,
    foreground: link.start,
  };
};
