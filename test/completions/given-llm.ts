import { setTimeout as wait } from 'node:timers/promises';
import { startSandbox, type Sandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { llmEndpoints } from '../../src/http/routes/llm/index.ts';
import { startHttp } from '../support/given-http.ts';
import { givenCompletions, type GivenCompletions } from './given-completions.ts';

export type GivenLlm = GivenCompletions &
  Readonly<{
    url: string;
    sandbox: Sandbox;
    /** Posts JSON as Ada. */
    post: (path: string, body: unknown, options?: Readonly<{ as?: string; signal?: AbortSignal }>) => Promise<Response>;
    close: () => Promise<void>;
  }>;

/** The chat endpoints over HTTP, with the sandbox as their provider. */
export const givenLlm = async (options: Parameters<typeof givenCompletions>[1] = {}): Promise<GivenLlm> => {
  const sandbox = await startSandbox({ port: 0 });
  const upstream = sandboxUpstream({ baseUrl: sandbox.url, clock: () => new Date() });
  const given = await givenCompletions(upstream, options);
  const http = await startHttp(llmEndpoints(given));
  return {
    ...given,
    url: http.url,
    sandbox,
    post: (path, body, { as = 'ada', signal } = {}) =>
      fetch(http.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    close: async () => {
      await given.completions.shutdown({ graceMs: 0, limitMs: 2_000 });
      await http.close();
      await upstream.close();
      await sandbox.stop();
      await wait(0);
    },
  };
};

/** One server-sent event as a client reads it. */
export type Frame = Readonly<{ event: string | undefined; data: Record<string, unknown> }>;

/** The frames of a whole stream; comments are left out. */
export const framesOf = (text: string): readonly Frame[] =>
  text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const lines = block.split('\n');
      return {
        event: lines.find((line) => line.startsWith('event: '))?.slice(7),
        data: JSON.parse(lines.find((line) => line.startsWith('data: '))!.slice(6)) as Record<string, unknown>,
      };
    });

type Choice = { index: number; delta: { content?: string; role?: string }; finish_reason?: string };

/** All content of the chunks. */
export const contentOf = (frames: readonly Frame[]): string =>
  frames
    .flatMap(({ data }) => data['choices'] as Choice[] | undefined)
    .map((choice) => choice?.delta.content ?? '')
    .join('');

/** The desktop's request. */
export const chat = (text: string, over: object = {}): object => ({
  model: 'sandbox/echo',
  messages: [
    { role: 'system', content: [{ type: 'text', text: 'Say it back.' }] },
    { role: 'user', content: [{ type: 'text', text }] },
  ],
  stream: true,
  max_tokens: 200,
  temperature: 0.7,
  duration_ms: 5000,
  task_type: 'generic_llm_stream',
  ...over,
});

export const CHAT = '/api/llm/chat/completions';
