import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { eventually } from './eventually.ts';

type Json = Readonly<Record<string, unknown>>;

/** A frame of the server's, and the parts that most of them have. */
export type Said = Json & Readonly<{ type: string; payload?: Json; eventId?: number }>;

/** What an app keeps over restarts: a file on the desktop, keychain and preferences on the phone. */
export type Credentials = { sessionId?: string; resumeToken?: string; lastEventId?: number };

/** Which app connects, where to, and how time runs for it. */
export type LinkOptions = Readonly<{
  /** Base URL of the server to go to now; asked before each attempt. */
  server: () => string;
  /** The `Authorization` header; asked before each attempt. */
  authorization: () => string;
  deviceId?: string;
  /** What the app has kept from an earlier run. */
  credentials?: Credentials;
  /** The time between attempts and such is multiplied with this; what a client waits for is not. */
  pace?: number;
  /** Between two heartbeats, in milliseconds. */
  beatEveryMs?: number;
  /** How long the phone stays on a link over which no text or binary frame comes, in milliseconds. */
  silenceMs?: number;
}>;

/** What the two apps do differently with a link that is the same for both. */
export type AppRules = Readonly<{
  clientType: 'desktop' | 'mobile';
  /** Before the n-th attempt after a drop, in milliseconds before `pace`. */
  retryAfterMs: (attempt: number) => number;
  /** Attempts are counted from the start of the app, or from the last link that held. */
  forgetsAttempts: boolean;
  registerAfterMs: number;
  /** Before a fresh `register` after `invalidResume`. */
  registerAgainAfterMs: number;
  /** How long the app waits for `registered`; undefined: for ever. */
  registeredWithinMs: number | undefined;
  /** Error codes that end the connection. */
  fatal: ReadonlySet<string>;
  answersPings: boolean;
  largestFrame: number;
  heartbeat: () => Json;
  onLinked: (link: SimulatedLink, resumed: boolean) => void;
  onDropped: () => void;
  onFrame: (said: Said) => void;
  onBinary: (frame: Buffer) => void;
  onError: (code: string) => void;
}>;

/** One app's link to the server, over as many sockets as it takes. */
export type SimulatedLink = Readonly<{
  deviceId: string;
  credentials: Credentials;
  /** What the server did that the contract forbids, in words. */
  violations: string[];
  /** Codes of `error` frames. */
  errors: string[];
  /** Those that the app took for the end of a connection. */
  fatal: string[];
  /** Close codes of its sockets. */
  closes: number[];
  /** All events, in the order of arrival. */
  events: Said[];
  /** How often it was let in. */
  links: () => number;
  isLinked: () => boolean;
  linked: () => Promise<void>;
  start: () => void;
  /** Closes as an app that is quit, or in the background. */
  stop: () => Promise<void>;
  /** Cuts the connection without a word. */
  drop: () => void;
  /** Opens a new socket and leaves the old one behind as if its network were gone; answers how to end that one. */
  switchNetwork: () => () => void;
  /** Reads nothing until the answer is called. */
  stopReading: () => () => void;
  /** False when there is no link to send over. */
  send: (message: Json) => boolean;
  sendBinary: (frame: Buffer) => boolean;
  /** Sends a frame as it is, also one that is wrong. */
  sendRaw: (frame: string | Buffer) => void;
}>;

const SECRET = /^[A-Za-z0-9]+$/;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first key with an underscore, at any depth. */
const underscoreIn = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = !Array.isArray(value) && key.includes('_') ? key : underscoreIn(member);
    if (found !== undefined) return found;
  }
  return undefined;
};

const isInstant = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value);

const KNOWN = new Set([
  'registered',
  'resumed',
  'pong',
  'error',
  'event',
  'rpc.request',
  'rpc.response',
  'terminal.binary.bind',
  'terminal.binary.unbind',
  'terminal.binary.bound',
]);

type Must = (holds: boolean, fault: string) => void;

const isSecret = (value: unknown, length: number): boolean =>
  typeof value === 'string' && value.length === length && SECRET.test(value);

const checkLinked = (said: Said, must: Must): void => {
  must(typeof said['sessionId'] === 'string', 'sessionId');
  must(/^\d{4}-.*\+00:00$/.test(String(said['expiresAt'])), `expiresAt is ${String(said['expiresAt'])}`);
  if (said.type === 'resumed') return;
  must(isSecret(said['sessionId'], 32), 'sessionId');
  must(isSecret(said['resumeToken'], 48), 'resumeToken');
};

const checkError = (said: Said, must: Must): void => {
  must(typeof said['code'] === 'string' && typeof said['message'] === 'string', 'code and message');
  must(isInstant(said['timestamp']), 'timestamp');
};

const checkEvent = (said: Said, must: Must, deviceId: string): void => {
  must(typeof said.payload?.['eventType'] === 'string' && 'payload' in said.payload, 'eventType and payload');
  must(said['targetDeviceId'] === null, 'targetDeviceId');
  must(isInstant(said['timestamp']), 'timestamp');
  must(said['sourceDeviceId'] !== deviceId, 'comes back to the one who said it');
  const isGap = said.payload?.['eventType'] === 'event-replay-gap';
  must(isGap || (Number.isSafeInteger(said.eventId) && Number(said.eventId) > 0), 'eventId');
};

/** What is wrong with a frame for any app. */
const faultsOf = (said: Said, deviceId: string): readonly string[] => {
  const faults: string[] = [];
  const must: Must = (holds, fault) => {
    if (!holds) faults.push(`${said.type}: ${fault}`);
  };
  must(KNOWN.has(said.type), 'is not a message of the server');
  must(underscoreIn(said) === undefined, `has the key ${underscoreIn(said)}`);
  if (said.type === 'registered' || said.type === 'resumed') checkLinked(said, must);
  if (said.type === 'error') checkError(said, must);
  if (said.type === 'event') checkEvent(said, must, deviceId);
  return faults;
};

/** The link of an app with these rules. */
export const simulatedLink = (rules: AppRules, options: LinkOptions): SimulatedLink => {
  const { pace = 1, deviceId = randomUUID(), credentials = {}, beatEveryMs = 30_000 } = options;
  const violations: string[] = [];
  const errors: string[] = [];
  const fatal: string[] = [];
  const closes: number[] = [];
  const events: Said[] = [];
  let socket: WebSocket | undefined;
  let isLinked = false;
  let links = 0;
  let attempts = 0;
  let wanted = false;
  let unacknowledged = 0;
  let invalidResumes: number[] = [];
  const timers = new Set<NodeJS.Timeout>();

  const later = (ms: number, work: () => void): NodeJS.Timeout => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
    return timer;
  };
  const stopTimers = (): void => {
    timers.forEach((timer) => clearTimeout(timer));
    timers.clear();
  };

  const write = (message: Json): boolean => {
    if (underscoreIn(message) !== undefined) throw new Error('the app itself sent a key with an underscore');
    if (socket?.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  };

  const register = (): void => {
    const { sessionId, resumeToken, lastEventId } = credentials;
    write({
      type: 'register',
      payload: {
        deviceId,
        deviceName: `a ${rules.clientType}`,
        ...(sessionId === undefined ? {} : { sessionId, resumeToken }),
        ...(lastEventId === undefined ? {} : { lastEventId }),
      },
    });
    if (rules.registeredWithinMs === undefined) return;
    later(rules.registeredWithinMs, () => {
      if (isLinked) return;
      violations.push('no answer to register in time');
      socket?.terminate();
    });
  };

  const beat = (): void => {
    write({ type: 'heartbeat', payload: rules.heartbeat() });
    later(beatEveryMs, beat);
  };

  const acknowledge = (): void => {
    if (unacknowledged === 0) return;
    unacknowledged = 0;
    write({ type: 'event-ack', payload: { lastEventId: credentials.lastEventId } });
  };

  const linkedAs = (said: Said): void => {
    if (said.type === 'resumed' && said['sessionId'] !== credentials.sessionId)
      violations.push('resumed another session');
    credentials.sessionId = String(said['sessionId']);
    if (said.type === 'registered') credentials.resumeToken = String(said['resumeToken']);
    isLinked = true;
    links += 1;
    if (rules.forgetsAttempts) attempts = 0;
    beat();
    rules.onLinked(link, said.type === 'resumed');
  };

  const invalidResume = (): void => {
    delete credentials.sessionId;
    delete credentials.resumeToken;
    invalidResumes = [...invalidResumes.filter((at) => performance.now() - at < 30_000), performance.now()];
    if (rules.clientType === 'mobile' && invalidResumes.length >= 3) violations.push('three invalidResume in 30 s');
    later(rules.registerAgainAfterMs * pace, register);
  };

  const event = (said: Said): void => {
    events.push(said);
    if (said.eventId === undefined) return;
    if (said.eventId <= (credentials.lastEventId ?? 0)) {
      violations.push(`event ${said.eventId} after ${String(credentials.lastEventId)}`);
    }
    credentials.lastEventId = Math.max(credentials.lastEventId ?? 0, said.eventId);
    unacknowledged += 1;
    if (unacknowledged === 1) later(1_000 * pace, acknowledge);
    if (unacknowledged >= 10) acknowledge();
  };

  const error = (code: string, own: WebSocket): void => {
    errors.push(code);
    rules.onError(code);
    if (code === 'invalidResume') invalidResume();
    if (!rules.fatal.has(code)) return;
    fatal.push(code);
    own.terminate();
  };

  const text = (data: Buffer, own: WebSocket): void => {
    const frame = data.toString('utf8');
    if (data.length > rules.largestFrame) violations.push(`a frame of ${data.length} bytes`);
    const said: unknown = JSON.parse(frame);
    if (!isObject(said) || typeof said['type'] !== 'string') return void violations.push(`no message: ${frame}`);
    const message = said as Said;
    violations.push(...faultsOf(message, deviceId));
    const comesFirst = ['registered', 'resumed', 'error', 'pong'].includes(message.type);
    if (!isLinked && !comesFirst) violations.push(`${message.type} before registered`);
    if (message.type === 'registered' || message.type === 'resumed') linkedAs(message);
    else if (message.type === 'error') error(String(message['code']), own);
    else if (message.type === 'event') event(message);
    rules.onFrame(message);
  };

  const watchSilence = (own: WebSocket): (() => void) => {
    const { silenceMs } = options;
    if (silenceMs === undefined) return () => undefined;
    let timer: NodeJS.Timeout | undefined;
    const hear = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (own !== socket) return;
        violations.push('no text for too long');
        own.terminate();
      }, silenceMs);
    };
    own.on('close', () => clearTimeout(timer));
    hear();
    return hear;
  };

  const dropped = (): void => {
    stopTimers();
    socket = undefined;
    isLinked = false;
    unacknowledged = 0;
    rules.onDropped();
    if (!wanted) return;
    attempts += 1;
    later(rules.retryAfterMs(attempts) * pace, connect);
  };

  const connect = (): void => {
    const headers = {
      authorization: options.authorization(),
      'x-device-id': deviceId,
      'x-token-binding': deviceId,
      'x-client-type': rules.clientType,
    };
    const own = new WebSocket(`${options.server().replace('http', 'ws')}/ws/device-link`, {
      headers,
      perMessageDeflate: false,
    });
    socket = own;
    const hear = watchSilence(own);
    own.on('error', () => undefined);
    own.on('open', () => void later(rules.registerAfterMs * pace, register));
    if (rules.answersPings) own.on('ping', () => void write({ type: 'pong' }));
    own.on('message', (data: Buffer, isBinary: boolean) => {
      if (own !== socket) return;
      hear();
      if (isBinary) rules.onBinary(data);
      else text(data, own);
    });
    own.on('close', (code) => {
      closes.push(code);
      if (own === socket) dropped();
    });
  };

  const link: SimulatedLink = {
    ...{ deviceId, credentials, violations, errors, fatal, closes, events },
    links: () => links,
    isLinked: () => isLinked,
    linked: async () => {
      await eventually(`the ${rules.clientType} is linked`, () => (isLinked ? true : undefined), 15_000);
    },
    start: () => {
      wanted = true;
      if (socket === undefined) connect();
    },
    stop: async () => {
      wanted = false;
      stopTimers();
      const own = socket;
      if (own === undefined) return;
      own.close(1000);
      await Promise.race([eventually('the app to be gone', () => (socket === own ? undefined : true)), wait(2_000)]);
      own.terminate();
    },
    drop: () => socket?.terminate(),
    switchNetwork: () => {
      const old = socket;
      stopTimers();
      isLinked = false;
      rules.onDropped();
      old?.pause();
      connect();
      return () => old?.terminate();
    },
    stopReading: () => {
      const own = socket;
      own?.pause();
      return () => own?.resume();
    },
    send: (message) => isLinked && write(message),
    sendBinary: (frame) => {
      if (!isLinked || socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(frame);
      return true;
    },
    sendRaw: (frame) => socket?.send(frame),
  };
  return link;
};
