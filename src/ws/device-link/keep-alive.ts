import type { Socket } from '../upgrade.ts';
import type { LinkTiming } from './timing.ts';

/** A socket, and when it was heard and asked last. */
type Watched = { readonly socket: Pick<Socket, 'ping' | 'terminate'>; heard: number; askAt: number };

/** Asks clients for signs of life and ends sockets behind which nobody is: one look for all sockets. */
export type KeepAlive = Readonly<{
  /** Answers what to call with every sign of life. */
  watch: (socket: Watched['socket']) => () => void;
  forget: (socket: Watched['socket']) => void;
  stop: () => void;
}>;

/** A second, for sockets that are asked twice a minute. */
const LOOKS_BETWEEN_PINGS = 30;
const SOONEST_LOOK_MS = 10;

export const keepAlive = ({ pingEveryMs, silenceMs }: Pick<LinkTiming, 'pingEveryMs' | 'silenceMs'>): KeepAlive => {
  const watched = new Map<Watched['socket'], Watched>();
  const clock = (): number => performance.now();
  /** As of the last look, which is exact enough and costs nothing. */
  let now = clock();

  const look = (): void => {
    now = clock();
    for (const one of watched.values()) {
      if (one.askAt > now) continue;
      one.askAt = now + pingEveryMs;
      if (now - one.heard > silenceMs) one.socket.terminate();
      else one.socket.ping('heartbeat');
    }
  };
  const timer = setInterval(look, Math.max(SOONEST_LOOK_MS, pingEveryMs / LOOKS_BETWEEN_PINGS));
  timer.unref();

  return {
    watch: (socket) => {
      const at = clock();
      const one: Watched = { socket, heard: at, askAt: at + pingEveryMs };
      watched.set(socket, one);
      return () => {
        one.heard = now;
      };
    },
    forget: (socket) => void watched.delete(socket),
    stop: () => clearInterval(timer),
  };
};
