import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import type { GivenLinks } from './given-links.ts';

type Said = Readonly<Record<string, unknown>> & Readonly<{ type: string; code?: string }>;

/** A client without any manners. */
export type RawClient = Readonly<{
  socket: WebSocket;
  deviceId: string;
  said: readonly Said[];
  /** Sends a value as JSON, a text or bytes as they are. */
  send: (message: unknown) => void;
  /** What the server says next. */
  next: () => Promise<Said>;
  /** Registers and waits until it is in. */
  register: () => Promise<void>;
  closed: Promise<number>;
}>;

type RawOptions = Readonly<{
  at?: number;
  userId?: string;
  clientType?: string;
  deviceId?: string;
  /** True: the connection does not say which device opens it. */
  anonymous?: boolean;
}>;

export const rawClient = async (given: GivenLinks, options: RawOptions = {}): Promise<RawClient> => {
  const { at = 0, userId = given.userId, clientType = 'mobile', deviceId = randomUUID() } = options;
  const url = given.instances[at]?.url.replace('http', 'ws') ?? '';
  const headers = {
    authorization: `Bearer ${userId} ${randomUUID()}`,
    'x-client-type': clientType,
    ...(options.anonymous === true ? {} : { 'x-device-id': deviceId }),
  };
  const socket = new WebSocket(`${url}/ws/device-link`, {
    headers,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  const said: Said[] = [];
  let taken = 0;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) said.push(JSON.parse(data.toString('utf8')) as Said);
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  const send = (message: unknown): void =>
    socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  const next = (): Promise<Said> =>
    eventually('a word of the server', () => {
      const word = said[taken];
      if (word !== undefined) taken += 1;
      return word;
    });
  return {
    ...{ socket, deviceId, said, send, next, closed },
    register: async () => {
      send({ type: 'register', payload: { deviceId } });
      await eventually('it is in', () => {
        taken = said.length;
        return said.some(({ type }) => type === 'registered') ? true : undefined;
      });
    },
  };
};
