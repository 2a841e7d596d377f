import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Share } from '../http/room.ts';

/** Messages up to so many bytes are not counted: what little there is of them is there in one read. */
const SMALL_BYTES = 64 * 1024;
/** In front of a client's ping or pong. */
const CONTROL_HEAD_BYTES = 6;
const TRY_LATER = 1013;
/** How long a socket that is not read any more has for being told. */
const CLOSE_WITHIN_MS = 1_000;

/**
 * Takes what waits in memory for the rest of its message out of a room, so that many sockets with half a message each
 * cannot fill it. A socket for whose message there is no room is closed with 1013, and not read any more.
 */
export const boundArrivals = (
  connection: Pick<Duplex, 'prependListener'>,
  socket: Pick<WebSocket, 'on' | 'once' | 'close' | 'pause' | 'terminate'>,
  take: () => Share,
): void => {
  let pending = 0;
  let share: Share | undefined;
  let isOver = false;

  /** Answers to our pings may be all that ever comes; they are read at once. */
  const control = (payload: Buffer): void => {
    pending = Math.max(0, pending - CONTROL_HEAD_BYTES - payload.length);
  };
  const arrived = (): void => {
    pending = 0;
    share?.giveBack();
    share = undefined;
  };
  const refuse = (): void => {
    isOver = true;
    socket.close(TRY_LATER, 'there is no room for a message just now');
    // The bytes of the message would go on coming until the other end has heard of it.
    socket.pause();
    setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS).unref();
  };

  // Before the frames are read: a message that these bytes end has arrived afterwards.
  connection.prependListener('data', (bytes: Buffer) => {
    pending += bytes.length;
    if (pending <= SMALL_BYTES || isOver) return;
    share ??= take();
    try {
      share.grow(pending);
    } catch {
      refuse();
    }
  });
  socket.on('message', arrived);
  socket.on('ping', control);
  socket.on('pong', control);
  socket.once('close', arrived);
};
