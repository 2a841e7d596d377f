import type { Socket } from '../upgrade.ts';

/**
 * How much it matters that a frame arrives. `vital`: answers and the link's own messages. `event`: comes again when the
 * client resumes. `droppable`: a piece of something that a later message makes good.
 */
export type Importance = 'vital' | 'event' | 'droppable';

/** Sends to one socket, and never keeps more than so many bytes for a client that does not read. */
export type Outbox = Readonly<{
  /** `latestOf`: a waiting droppable frame with the same key is replaced. */
  send: (frame: string | Uint8Array, importance: Importance, latestOf?: string) => void;
  /** Bytes that wait, in the socket and here. */
  waiting: () => number;
}>;

type Waiting = { frame: string | Uint8Array; bytes: number; importance: Importance; latestOf: string | undefined };

/** What the socket itself may hold before frames wait here, where they can still be dropped. */
const IN_SOCKET = 256 * 1024;
/** What may wait here. A client that is further behind is better off coming back. */
const MOST_WAITING = 8 * 1024 * 1024;

const sizeOf = (frame: string | Uint8Array): number =>
  typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength;

/** An outbox of a socket. `overflow` is called once, when dropping what may be dropped was not enough. */
export const outbox = (
  socket: Pick<Socket, 'send' | 'bufferedAmount'>,
  overflow: () => void,
  limits: Readonly<{ inSocket: number; waiting: number }> = { inSocket: IN_SOCKET, waiting: MOST_WAITING },
): Outbox => {
  let queue: Waiting[] = [];
  let queued = 0;
  let over = false;

  const flushed = (): void => {
    while (queue.length > 0 && socket.bufferedAmount < limits.inSocket) {
      const next = queue.shift();
      if (next === undefined) return;
      queued -= next.bytes;
      socket.send(next.frame, flushed);
    }
  };

  const drop = (isDropped: (waiting: Waiting) => boolean): void => {
    queue = queue.filter((waiting) => !isDropped(waiting));
    queued = queue.reduce((sum, { bytes }) => sum + bytes, 0);
  };

  const enqueue = (waiting: Waiting): void => {
    const { latestOf } = waiting;
    if (latestOf !== undefined && queue.some((other) => other.latestOf === latestOf)) {
      drop((other) => other.latestOf === latestOf);
    }
    queue.push(waiting);
    queued += waiting.bytes;
    if (queued <= limits.waiting) return;
    drop(({ importance }) => importance === 'droppable');
    if (queued <= limits.waiting) return;
    over = true;
    queue = [];
    queued = 0;
    overflow();
  };

  return {
    send: (frame, importance, latestOf) => {
      if (over) return;
      if (queue.length === 0 && socket.bufferedAmount < limits.inSocket) socket.send(frame, flushed);
      else enqueue({ frame, bytes: sizeOf(frame), importance, latestOf });
    },
    waiting: () => socket.bufferedAmount + queued,
  };
};
