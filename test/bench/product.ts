import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { signIn, startServer, temporaryDataDir, type RunningServer } from '../support/running-server.ts';
import type { Target } from './stream-load.ts';

export const MODEL = 'openai/gpt-4.1';

/** Chunks of a few words. */
export const SHORT = 30;

/** A program of this folder, which says something once it is ready. */
export const program = async (file: string, ...args: readonly string[]): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
};

/** The body of a request for an answer of so many chunks, and its headers. */
export const asking = (chunks: number): Pick<Target, 'body' | 'headers'> => {
  const body = JSON.stringify({
    model: MODEL,
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'You are a careful assistant.' }] },
      { role: 'user', content: [{ type: 'text', text: `[[${chunks} chunks]] about the sea, the wind and the light` }] },
    ],
    stream: true,
    max_tokens: 2 * chunks,
  });
  return { body, headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) } };
};

/** The whole product over an upstream that answers at once, with a user who may ask for as much as the machine gives. */
export type Product = Readonly<{
  server: RunningServer;
  /** The upstream's address. */
  upstream: string;
  target: (chunks: number) => Target;
  stop: () => Promise<void>;
}>;

/** Starts it on a data directory of its own, which is gone when it has stopped. */
export const startProduct = async (): Promise<Product> => {
  const data = temporaryDataDir();
  const port = String(await freePort());
  const upstream = `http://127.0.0.1:${port}`;
  const provider = await program('chunk-upstream.ts', port);
  const server = await startServer(data.path, {
    OPENAI_API_KEY: 'bench',
    OPENAI_BASE_URL: upstream,
    FREE_CREDITS_AMOUNT: '100000',
    RATE_LIMIT_MAX_REQUESTS: '10000000',
    MAX_CONCURRENT_STREAMS_PER_USER: '1000',
    LOG_LEVEL: 'warn',
  });
  const token = await signIn(server, 'bench@example.test');
  return {
    server,
    upstream,
    target: (chunks) => {
      const { body, headers } = asking(chunks);
      const url = `${server.url}/api/llm/chat/completions`;
      return { url, headers: { ...headers, authorization: `Bearer ${token}` }, body, mark: 'stream_completed' };
    },
    stop: async () => {
      await server.stop();
      provider.kill();
      data.remove();
    },
  };
};
