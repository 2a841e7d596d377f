import type { RawData } from 'ws';
import type { Socket } from '../upgrade.ts';

/** One frame, in the order of arrival. */
export type Frame = Readonly<{ data: Buffer; isBinary: boolean }>;

/** So many frames may wait for their turn before the client has to wait with the next. */
const MOST_WAITING = 64;

const bufferOf = (data: RawData): Buffer => {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
};

/**
 * Handles the frames of a socket one after the other. A client that is faster than we are is not read until we have
 * caught up: nothing is ever thrown away.
 */
export const inbox = (
  socket: Pick<Socket, 'on' | 'pause' | 'resume'>,
  handle: (frame: Frame) => Promise<void>,
): void => {
  const waiting: Frame[] = [];
  let working = false;
  let paused = false;

  const work = async (): Promise<void> => {
    working = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await handle(next);
      if (paused && waiting.length === 0) {
        paused = false;
        socket.resume();
      }
    }
    working = false;
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    waiting.push({ data: bufferOf(data), isBinary });
    if (waiting.length >= MOST_WAITING && !paused) {
      paused = true;
      socket.pause();
    }
    if (!working) void work();
  });
};
