import type { RawData } from 'ws';
import type { Socket } from '../upgrade.ts';

/** One frame, in the order of arrival. */
export type Frame = Readonly<{ data: Buffer; isBinary: boolean }>;

/** What may wait for its turn before the client has to wait with the next. */
const MOST_FRAMES = 64;
const MOST_BYTES = 1024 * 1024;

const bufferOf = (data: RawData): Buffer => {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
};

/**
 * Handles the frames of a socket one after the other. A client that is faster than we are is not read until we have
 * caught up: nothing is ever thrown away. `handle` answers undefined when it is done already, and must neither throw nor
 * reject.
 */
export const readFrames = (
  socket: Pick<Socket, 'on' | 'pause' | 'resume'>,
  handle: (frame: Frame) => Promise<void> | undefined,
): void => {
  /** Undefined while nothing is under way. */
  let waiting: Frame[] | undefined;
  let bytes = 0;
  let paused = false;

  const work = async (): Promise<void> => {
    for (let batch = waiting; batch !== undefined && batch.length > 0; batch = waiting) {
      waiting = [];
      bytes = 0;
      for (const frame of batch) await handle(frame);
    }
    waiting = undefined;
    if (!paused) return;
    paused = false;
    socket.resume();
  };

  socket.on('message', (data: RawData, isBinary: boolean) => {
    const frame = { data: bufferOf(data), isBinary };
    if (waiting === undefined) {
      const doing = handle(frame);
      if (doing === undefined) return;
      waiting = [];
      void doing.then(work);
      return;
    }
    waiting.push(frame);
    bytes += frame.data.length;
    if (!paused && (waiting.length >= MOST_FRAMES || bytes >= MOST_BYTES)) {
      paused = true;
      socket.pause();
    }
  });
};
