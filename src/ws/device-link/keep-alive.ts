import type { Socket } from '../upgrade.ts';
import type { LinkTiming } from './timing.ts';

/** Asks a client for signs of life and ends a socket behind which nobody is. */
export const keepAlive = (
  socket: Pick<Socket, 'on' | 'ping' | 'terminate'>,
  { pingEveryMs, silenceMs }: Pick<LinkTiming, 'pingEveryMs' | 'silenceMs'>,
  now: () => number = performance.now.bind(performance),
): Readonly<{ stop: () => void }> => {
  let heard = now();
  const hear = (): void => {
    heard = now();
  };
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, hear);
  const timer = setInterval(() => {
    if (now() - heard > silenceMs) socket.terminate();
    else socket.ping('heartbeat');
  }, pingEveryMs);
  return { stop: () => clearInterval(timer) };
};
