import type { Socket } from '../upgrade.ts';

const PING_EVERY_MS = 30_000;
/** A client that has said nothing for so long, not even to a ping, is not there. */
const SILENCE_MS = 75_000;

/** Asks a client for signs of life and ends a socket behind which nobody is. */
export const keepAlive = (
  socket: Pick<Socket, 'on' | 'ping' | 'terminate'>,
  now: () => number = performance.now.bind(performance),
): Readonly<{ stop: () => void }> => {
  let heard = now();
  const hear = (): void => {
    heard = now();
  };
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, hear);
  const timer = setInterval(() => {
    if (now() - heard > SILENCE_MS) socket.terminate();
    else socket.ping('heartbeat');
  }, PING_EVERY_MS);
  return { stop: () => clearInterval(timer) };
};
