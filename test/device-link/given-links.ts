import { randomUUID } from 'node:crypto';
import type { Device } from '../../commands/devices/devices.state.ts';
import { memoryRelay } from '../../infra/relay/memory-relay.ts';
import { redisRelay } from '../../infra/relay/redis-relay.ts';
import { connectRedis, redisReady } from '../../infra/redis/client.ts';
import type { Authenticator } from '../../src/http/authenticator.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { Relay } from '../../src/kernel/relay.ts';
import { deviceLink, type DeviceLink } from '../../src/ws/device-link/device-link.ts';
import type { LinkTiming } from '../../src/ws/device-link/timing.ts';
import type { Socket } from '../../src/ws/upgrade.ts';
import { acceptSockets } from '../../src/ws/upgrade.ts';
import { eventually } from '../support/eventually.ts';
import { ada, startHttp } from '../support/given-http.ts';
import { memoryLogger, type LogLine } from '../support/memory-logger.ts';
import { simulatedDesktop, type SimulatedDesktop } from '../support/simulated-desktop.ts';
import type { SimulatedLink } from '../support/simulated-link.ts';
import { simulatedPhone, type SimulatedPhone } from '../support/simulated-phone.ts';

/** `Bearer <user id> <session id>`; the session may have been ended. */
const authenticatorOf =
  (ended: ReadonlySet<string>): Authenticator =>
  ({ authorization = '', deviceId }) => {
    const [, userId, sessionId] = authorization.split(' ');
    if (userId === undefined || sessionId === undefined || ended.has(sessionId)) {
      return Promise.reject(new DomainError('authentication_error', 'the token is not valid; sign in again'));
    }
    return Promise.resolve({ ...ada, userId, sessionId, ...(deviceId === undefined ? {} : { deviceId }) });
  };

/** Where the instances meet. */
export type Meeting = Readonly<{
  /** A relay for one more instance. */
  attach: (instance: string) => Promise<Relay>;
  close: () => Promise<void>;
}>;

/** In one process, which forgets everything when the last instance has ended. */
const meetingInMemory = (): Meeting => {
  let relay = memoryRelay();
  let attached = 0;
  return {
    attach: (instance) => {
      if (attached === 0) relay = memoryRelay();
      attached += 1;
      const own = relay.attach(instance);
      const close = (): Promise<void> => {
        attached -= 1;
        return own.close();
      };
      return Promise.resolve({ ...own, close });
    },
    close: () => Promise.resolve(),
  };
};

/** In a Redis, each instance over connections of its own. */
export const meetingIn = (url: string): Meeting => {
  const { logger } = memoryLogger();
  const closing: (() => void)[] = [];
  return {
    attach: async (instance) => {
      // Redis itself is not what is slow where all run on one machine.
      const redis = connectRedis({ url, logger, commandTimeoutMs: 10_000 });
      closing.push(() => redis.disconnect());
      await redisReady(redis, 5_000);
      return redisRelay({ redis, instance, logger });
    },
    close: () => {
      closing.forEach((close) => close());
      return Promise.resolve();
    },
  };
};

/** One instance of the server. */
export type Instance = Readonly<{
  name: string;
  url: string;
  link: DeviceLink;
  relay: Relay;
  /** Frames of clients that reached it, as text. */
  heard: string[];
  /** Goes away as on a deploy. */
  deploy: () => Promise<void>;
  /** Is gone at once, without a word to anybody. */
  crash: () => Promise<void>;
}>;

export type GivenLinks = Readonly<{
  instances: readonly Instance[];
  /** Starts an instance in the place of one that has ended. */
  restart: (index: number) => Promise<void>;
  userId: string;
  /** What is on record of devices; nothing unless it is noted here. */
  records: Map<string, Device>;
  /** Devices that never register over HTTP. */
  unrecorded: Set<string>;
  /** Cuts all sockets of a device from the server's side, without a word. */
  cut: (deviceId: string) => void;
  /** What was noted of devices: presence, heartbeats and so on. */
  noted: string[];
  /** Ends a session as a sign-out on any instance does. */
  endSession: (sessionId: string) => void;
  desktop: (options?: ClientOptions) => SimulatedDesktop;
  phone: (options?: ClientOptions) => SimulatedPhone;
  /** Lines that only a fault of ours makes. */
  faults: () => readonly LogLine[];
  /** Messages of what had to be done without. */
  warnings: () => readonly string[];
  /** Everything the simulated apps hold against the server. */
  violations: () => readonly string[];
  /** Resolves when nothing of anybody is left in any instance. */
  quiet: () => Promise<void>;
  close: () => Promise<void>;
}>;

type ClientOptions = Readonly<{
  /** Index of the instance to go to; the first of those that are up unless given. */
  at?: () => number;
  userId?: string;
  sessionId?: string;
  deviceId?: string;
  pace?: number;
  beatEveryMs?: number;
  silenceMs?: number;
  openSession?: string;
  activeSessionId?: () => string | undefined;
  credentials?: SimulatedLink['credentials'];
  refresh?: () => void;
}>;

type Options = Readonly<{
  instances?: number;
  meeting?: Meeting;
  timing?: Partial<LinkTiming>;
  /** Puts something between the link and its relay. */
  through?: (relay: Relay) => Relay;
}>;

/** What the link looks at of a desktop on record. */
const desktopOf = (userId: string): Device => ({ status: 'registered', userId, kind: 'desktop' }) as Device;

const MAX_FRAME_BYTES = 32 * 1024 * 1024;
const STOP_WITHIN_MS = 10_000;

/** A relay that does nothing any more when its process is dead. */
const mortal = (relay: Relay, isDead: () => boolean): Relay =>
  new Proxy(relay, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || !isDead()) return member;
      return () => Promise.reject(new Error('this process is dead'));
    },
  });

/** Remembers the text frames that a socket hears. */
const overheard = (socket: Socket, heard: string[]): Socket => {
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) heard.push(data.toString('utf8'));
  });
  return socket;
};

/** Open sockets by device. */
const socketsByDevice = () => {
  const open = new Map<string, Set<Socket>>();
  return {
    add: (deviceId: string, socket: Socket): void => {
      const own = open.get(deviceId) ?? new Set();
      own.add(socket);
      open.set(deviceId, own);
      socket.once('close', () => own.delete(socket));
    },
    cut: (deviceId: string): void => open.get(deviceId)?.forEach((socket) => socket.terminate()),
  };
};

/** Instances of the link, and clients to go with them. */
export const givenLinks = async (options: Options = {}): Promise<GivenLinks> => {
  const { meeting = meetingInMemory(), timing = {}, through = (relay: Relay) => relay } = options;
  const records = new Map<string, Device>();
  const unrecorded = new Set<string>();
  const noted: string[] = [];
  const ended = new Set<string>();
  const watching = new Map<() => void, string>();
  const clients: SimulatedLink[] = [];
  const { logger, lines } = memoryLogger();
  const userId = randomUUID();
  const down = new Set<number>();
  const open = socketsByDevice();

  const startInstance = async (index: number): Promise<Instance> => {
    const name = randomUUID();
    let dead = false;
    const heard: string[] = [];
    const attached = await meeting.attach(name);
    const relay = mortal(through(attached), () => dead);
    const limits = { ...defaultLimits, socket: { perIp: 1_000_000, windowSeconds: 60 } };
    const http = await startHttp([], { authenticator: authenticatorOf(ended), limits });
    const link = deviceLink({
      relay,
      sessionEnds: ({ sessionId }, tell) => {
        watching.set(tell, sessionId);
        return () => void watching.delete(tell);
      },
      device: (deviceId) => Promise.resolve(records.get(deviceId) ?? { status: 'none' }),
      notes: {
        beat: ({ entry }) => void noted.push(`beat ${entry.presence.deviceId}`),
        visibility: ({ entry }, visible) => void noted.push(`visible ${entry.presence.deviceId} ${visible}`),
        directory: ({ entry }, directory) => void noted.push(`directory ${entry.presence.deviceId} ${directory}`),
        presence: ({ entry }, online) => void noted.push(`presence ${entry.presence.deviceId} ${online}`),
      },
      hashAddress: (ip) => ip,
      clock: () => new Date(),
      logger,
      timing: { lingerMs: 500, ...timing },
    });
    const sockets = acceptSockets({
      app: http.http.app,
      server: http.serving.server,
      gate: http.http.gate,
      logger,
      handlers: {
        '/ws/device-link': (socket, caller, url, opening) => {
          const deviceId = opening.header('x-device-id') ?? '';
          open.add(deviceId, socket);
          // The desktop app registers over HTTP before it links.
          const isDesktop = opening.header('x-client-type') === 'desktop';
          if (isDesktop && !unrecorded.has(deviceId) && !records.has(deviceId)) {
            records.set(deviceId, desktopOf(caller.userId));
          }
          link.socket(overheard(socket, heard), caller, url, opening).catch(() => undefined);
          return Promise.resolve();
        },
      },
      scopes: {},
      maxFrameBytes: MAX_FRAME_BYTES,
      activity: http.http.activity,
      refusalHeaders: http.http.refusalHeaders,
    });
    const end = async (): Promise<void> => {
      if (down.has(index)) return;
      down.add(index);
      sockets.closeAll(1012);
      // The server itself waits for its sockets for so long.
      await http.serving.stop(STOP_WITHIN_MS);
      await link.stop();
      await attached.close();
    };
    return {
      ...{ name, url: http.url, link, relay: attached, heard },
      deploy: end,
      crash: async () => {
        down.add(index);
        dead = true;
        await attached.close();
        await http.close();
        await link.stop();
      },
    };
  };

  const count = options.instances ?? 1;
  const instances = await Promise.all(Array.from({ length: count }, (_, index) => startInstance(index)));

  const firstUp = (): number => instances.findIndex((_, index) => !down.has(index));
  const linkOptions = (given: ClientOptions) => {
    const sessionId = given.sessionId ?? randomUUID();
    const { at = firstUp, userId: who = userId, pace = 0.05, ...rest } = given;
    return {
      ...rest,
      pace,
      server: () => instances[at()]?.url ?? 'http://127.0.0.1:1',
      authorization: () => `Bearer ${who} ${sessionId}`,
    };
  };
  const joined = <T extends SimulatedLink>(client: T): T => {
    clients.push(client);
    client.start();
    return client;
  };

  const quiet = async (): Promise<void> => {
    await eventually(
      'nothing is left',
      () => {
        const left = instances.flatMap(({ link }, index) => (down.has(index) ? [] : Object.entries(link.inUse())));
        return left.every(([what, amount]) => amount === 0 || what === 'users') ? true : undefined;
      },
      10_000,
    );
  };

  return {
    restart: async (index) => {
      down.delete(index);
      instances[index] = await startInstance(index);
    },
    ...{ instances, userId, records, unrecorded, noted, quiet, cut: open.cut },
    endSession: (sessionId) => {
      ended.add(sessionId);
      for (const [tell, watched] of watching) if (watched === sessionId) tell();
    },
    desktop: (given = {}) => joined(simulatedDesktop(linkOptions(given))),
    phone: (given = {}) => joined(simulatedPhone(linkOptions(given))),
    faults: () => lines.filter(({ level }) => level === 'error'),
    warnings: () => lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
    violations: () => clients.flatMap(({ violations }) => violations),
    close: async () => {
      await Promise.all(clients.map((client) => client.stop()));
      await quiet();
      await Promise.all(instances.map(({ deploy }) => deploy()));
      await meeting.close();
    },
  };
};
