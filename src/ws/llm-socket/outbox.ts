import type { Socket } from '../upgrade.ts';

/** What goes out over one socket, never more at once than it takes. */
export type Outbox = Readonly<{
  /** Sends a piece of an answer. A promise means that the client is slow: wait before you send more. */
  send: (text: string) => Promise<void> | undefined;
  /** Sends a short word now, whatever waits. */
  tell: (text: string) => void;
  /** Nothing is sent any more, and nobody waits. */
  close: () => void;
}>;

export type OutboxOptions = Readonly<{
  /** Bytes that may wait in the socket before pieces wait for their turn. */
  fullAt: number;
  /** Bytes that may wait in the socket when nothing but words is added. */
  overflowAt: number;
  /** The client asks, but does not read what it is told. */
  onOverflow: () => void;
  /** The network has taken a frame: the client lives. */
  onProgress: () => void;
}>;

/**
 * The back-pressure of one socket. Streams that wait are served in turn, one piece each, so that a long answer does not
 * hold up a short one; each has one piece here at most.
 */
export const outbox = (socket: Pick<Socket, 'send' | 'bufferedAmount'>, options: OutboxOptions): Outbox => {
  const waiting: Readonly<{ text: string; taken: () => void }>[] = [];
  let closed = false;

  const isFull = (): boolean => socket.bufferedAmount >= options.fullAt;

  const sent = (error?: Error | null): void => {
    if (error !== undefined && error !== null) return;
    options.onProgress();
    serve();
  };

  const serve = (): void => {
    while (!closed && !isFull()) {
      const next = waiting.shift();
      if (next === undefined) return;
      socket.send(next.text, sent);
      next.taken();
    }
  };

  return {
    send: (text) => {
      if (closed) return undefined;
      if (waiting.length === 0 && !isFull()) {
        socket.send(text, sent);
        return undefined;
      }
      return new Promise((taken) => {
        waiting.push({ text, taken });
      });
    },
    tell: (text) => {
      if (closed) return;
      if (socket.bufferedAmount >= options.overflowAt) return options.onOverflow();
      socket.send(text, sent);
    },
    close: () => {
      closed = true;
      for (const { taken } of waiting.splice(0)) taken();
    },
  };
};
