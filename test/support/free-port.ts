import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems hand out by themselves, to whoever asks for any port or connects to somewhere. */
const LOWEST = 12_000;
const HIGHEST = 32_000;

const isFree = async (port: number): Promise<boolean> => {
  const probe = createServer().listen(port, '127.0.0.1');
  const answer = await once(probe, 'listening').then(
    () => true,
    () => false,
  );
  probe.close();
  return answer;
};

/** A port that nothing listens on, and that nothing is given by chance before it is used. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
};
