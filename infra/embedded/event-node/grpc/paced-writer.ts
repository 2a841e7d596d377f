import type { ServerWritableStream } from '@grpc/grpc-js';

/** Writes to a call no faster than its reader takes it. */
export type PacedWriter = {
  /** Nothing when there is room for more, else a promise to wait for. */
  write: (message: Buffer) => Promise<void> | undefined;
  /** Whether the reader is gone. */
  ended: () => boolean;
  /** Calls back once when the reader goes. */
  onEnd: (callback: () => void) => void;
};

/** Paces the writes of a server-streaming call; `onSent` is told of each. */
export const paceWrites = (
  call: Pick<ServerWritableStream<unknown, Buffer>, 'write' | 'once' | 'cancelled' | 'destroyed'>,
  onSent: () => void,
): PacedWriter => {
  let ended = false;
  const callbacks: (() => void)[] = [];
  const end = (): void => {
    ended = true;
    for (const callback of callbacks.splice(0)) callback();
  };
  call.once('cancelled', end);
  call.once('close', end);
  call.once('error', end);
  return {
    write: (message) => {
      if (ended) return undefined;
      onSent();
      if (call.write(message)) return undefined;
      return new Promise((resolve) => {
        callbacks.push(resolve);
        call.once('drain', () => {
          const at = callbacks.indexOf(resolve);
          if (at >= 0) callbacks.splice(at, 1);
          resolve();
        });
      });
    },
    ended: () => ended || call.cancelled || call.destroyed,
    onEnd: (callback) => {
      if (ended) callback();
      else callbacks.push(callback);
    },
  };
};
