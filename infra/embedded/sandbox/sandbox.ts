import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerTo } from './answer.ts';
import { chatSurface } from './chat-surface.ts';
import { listen, type Listened } from './listening.ts';
import { responsesSurface } from './responses-surface.ts';
import type { Said, SurfaceOfSandbox } from './surface.ts';

/** What the sandbox has done since it started. Output tokens are those that were sent, also of answers cut short. */
export type SandboxStats = Readonly<{
  requests: number;
  completed: number;
  aborted: number;
  inputTokens: number;
  outputTokens: number;
}>;

export type Sandbox = Readonly<{ url: string; stop: () => Promise<void>; stats: () => SandboxStats }>;

const SURFACES: Readonly<Record<string, SurfaceOfSandbox | undefined>> = {
  '/v1/chat/completions': chatSurface,
  '/v1/responses': responsesSurface,
};

const sendJson = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
};

const refuse = (response: ServerResponse, status: number, code: string, retryAfter = 0): void =>
  sendJson(
    response,
    status,
    { error: { message: `The sandbox answers ${status}.`, type: 'sandbox_error', param: null, code } },
    retryAfter > 0 ? { 'retry-after': String(retryAfter) } : {},
  );

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

/** An OpenAI-compatible model on this machine, on loopback only. `port` 0 takes a free one. */
export const startSandbox = async ({ port }: Readonly<{ port: number }>): Promise<Sandbox> => {
  const stats = { requests: 0, completed: 0, aborted: 0, inputTokens: 0, outputTokens: 0 };

  /** Sends the chunks; false when the answer does not end as it should. */
  const sendChunks = async (said: Said, surface: SurfaceOfSandbox, response: ServerResponse, gone: AbortSignal) => {
    const { delay, failAfter, cutAfter, stallAfter } = said.asked.knobs;
    for (const [index, { text, tokens }] of said.answer.chunks.entries()) {
      if (index === stallAfter) await sleep(2 ** 31 - 1, undefined, { signal: gone, ref: false });
      if (index === cutAfter) return void response.destroy();
      if (index === failAfter) return void response.end(surface.failure(said));
      if (delay > 0) await sleep(delay, undefined, { signal: gone });
      stats.outputTokens += tokens;
      if (!response.write(surface.chunk(said, text, index))) await once(response, 'drain', { signal: gone });
    }
    stats.completed += 1;
    response.end(surface.end(said));
  };

  const answer = async (said: Said, surface: SurfaceOfSandbox, response: ServerResponse, gone: AbortSignal) => {
    const { latency, status, retryAfter } = said.asked.knobs;
    if (latency > 0) await sleep(latency, undefined, { signal: gone });
    if (status >= 400) return refuse(response, status, 'told_to', retryAfter);
    stats.inputTokens += said.answer.promptTokens;
    if (!said.asked.stream) {
      stats.outputTokens += said.answer.chunks.reduce((sum, { tokens }) => sum + tokens, 0);
      stats.completed += 1;
      return sendJson(response, 200, surface.whole(said));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.write(surface.start(said));
    await sendChunks(said, surface, response, gone);
  };

  const listened = (used: Listened | undefined): void => {
    if (used === undefined) return;
    stats.requests += 1;
    stats.completed += 1;
    stats.inputTokens += used.inputTokens;
    stats.outputTokens += used.outputTokens;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (path === '/v1/models') {
      return sendJson(response, 200, { object: 'list', data: [{ id: 'echo', object: 'model', owned_by: 'sandbox' }] });
    }
    if (path === '/v1/audio/transcriptions' && request.method === 'POST')
      return listened(await listen(request, response));
    const surface = SURFACES[path];
    if (surface === undefined || request.method !== 'POST') return refuse(response, 404, 'not_found');
    const asked = surface.read(await bodyOf(request));
    if (asked === undefined) return refuse(response, 400, 'invalid_request');
    stats.requests += 1;
    const away = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) stats.aborted += 1;
      away.abort();
    });
    const id = `${surface === chatSurface ? 'chatcmpl' : 'resp'}-${randomUUID()}`;
    const said: Said = {
      id,
      created: Math.floor(Date.now() / 1000),
      asked,
      answer: answerTo(asked.texts, asked.echo, asked.knobs, asked.maxTokens),
    };
    await answer(said, surface, response, away.signal).catch((error: unknown) => {
      // A caller that goes away ends the answer, and that is all there is to it.
      if (!away.signal.aborted) throw error;
    });
  };

  const server = createServer({ keepAliveTimeout: 70_000 }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stats: () => ({ ...stats }),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
