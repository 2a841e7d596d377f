import type { Socket } from '../upgrade.ts';
import type { LinkTiming } from './timing.ts';

type Asked = Pick<Socket, 'ping' | 'terminate'>;

/** A socket, how much had come over it when it was looked at last, when that was news, and when it is asked next. */
type Watched = { readonly bytesRead: () => number; read: number; heard: number; askAt: number };

/** Asks clients for signs of life and ends sockets behind which nobody is: one look for all sockets. */
export type KeepAlive = Readonly<{
  /** Whatever comes is a sign of life, also a part of a large frame. `bytesRead` says how much has come so far. */
  watch: (socket: Asked, bytesRead: () => number) => void;
  forget: (socket: Asked) => void;
  stop: () => void;
}>;

/** A second, for sockets that are asked twice a minute. */
const LOOKS_BETWEEN_PINGS = 30;
const SOONEST_LOOK_MS = 10;

export const keepAlive = ({ pingEveryMs, silenceMs }: Pick<LinkTiming, 'pingEveryMs' | 'silenceMs'>): KeepAlive => {
  const watched = new Map<Asked, Watched>();
  const clock = (): number => performance.now();
  let looked = clock();

  const lookAt = (socket: Asked, one: Watched, now: number, isLate: boolean): void => {
    const read = one.bytesRead();
    if (read !== one.read || isLate) one.heard = now;
    one.read = read;
    one.askAt = now + pingEveryMs;
    if (now - one.heard > silenceMs) socket.terminate();
    else socket.ping('heartbeat');
  };

  const look = (): void => {
    const now = clock();
    // This process stood still: what clients said meanwhile has not been read yet.
    const isLate = now - looked > silenceMs / 2;
    looked = now;
    for (const [socket, one] of watched) if (one.askAt <= now || isLate) lookAt(socket, one, now, isLate);
  };
  const timer = setInterval(look, Math.max(SOONEST_LOOK_MS, pingEveryMs / LOOKS_BETWEEN_PINGS));
  timer.unref();

  return {
    watch: (socket, bytesRead) => {
      const now = clock();
      watched.set(socket, { bytesRead, read: bytesRead(), heard: now, askAt: now + pingEveryMs });
    },
    forget: (socket) => void watched.delete(socket),
    stop: () => clearInterval(timer),
  };
};
