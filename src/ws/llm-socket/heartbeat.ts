import type { Socket } from '../upgrade.ts';

/** Watches whether there is still somebody at the other end. */
export type Heartbeat = Readonly<{
  /** A sign of life. */
  heard: () => void;
  stop: () => void;
}>;

/**
 * Pings every `everyMs`, which browsers and libraries answer by themselves, and cuts a socket that has given no sign of
 * life between two pings: half-open connections are noticed by nobody else.
 */
export const heartbeat = (socket: Pick<Socket, 'on' | 'ping' | 'terminate'>, everyMs: number): Heartbeat => {
  let alive = true;
  const heard = (): void => {
    alive = true;
  };
  socket.on('pong', heard);
  socket.on('ping', heard);
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, everyMs);
  return { heard, stop: () => clearInterval(timer) };
};
