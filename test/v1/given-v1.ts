import OpenAI from 'openai';
import { startSandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { upstreamsOf } from '../../src/app/upstreams.ts';
import { parseConfig } from '../../src/config.ts';
import type { HttpOptions } from '../../src/http/http.ts';
import { v1Endpoints } from '../../src/http/routes/v1/index.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { catalogue, givenCompletions, type GivenCompletions } from '../completions/given-completions.ts';
import { startHttp } from '../support/given-http.ts';
import { speakingUpstream, type SpeakingUpstream } from './speaking-upstream.ts';
import type { Voice } from './voices.ts';

type Options = Parameters<typeof givenCompletions>[1] & Readonly<{ http?: Partial<HttpOptions> }>;

export type GivenV1 = GivenCompletions &
  Readonly<{
    url: string;
    /** The official SDK as Ada's; it does not retry unless told to. */
    client: OpenAI;
    /** Posts JSON as Ada, without any SDK. */
    post: (body: unknown) => Promise<Response>;
    close: () => Promise<void>;
  }>;

const over = async (upstream: ChatUpstream, { http: edge = {}, ...options }: Options): Promise<GivenV1> => {
  const given = await givenCompletions(upstream, options);
  const offer = { catalogue: () => catalogue, reaches: (code: string) => code === upstream.provider };
  const http = await startHttp(v1Endpoints({ ...given, ...offer }), edge);
  return {
    ...given,
    url: http.url,
    client: new OpenAI({ baseURL: `${http.url}/v1`, apiKey: 'ada', maxRetries: 0 }),
    post: (body) =>
      fetch(`${http.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer ada', 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    close: async () => {
      await given.completions.shutdown({ graceMs: 0, limitMs: 2_000 });
      await http.close();
      await upstream.close();
    },
  };
};

/** /v1 with the sandbox as its provider. */
export const givenSandbox = async (options: Options = {}): Promise<GivenV1> => {
  const sandbox = await startSandbox({ port: 0 });
  const given = await over(sandboxUpstream({ baseUrl: sandbox.url, clock: () => new Date() }), options);
  return {
    ...given,
    close: async () => {
      await given.close();
      await sandbox.stop();
    },
  };
};

/** /v1 with a real adapter, configured as an operator would, and a double of its provider. */
export const givenVoice = async (
  code: string,
  { env, address }: Voice,
  options: Options = {},
): Promise<GivenV1 & Readonly<{ upstream: SpeakingUpstream }>> => {
  const double = await speakingUpstream();
  const config = parseConfig({ ...env, [address]: double.url });
  const adapter = upstreamsOf({ config, sandboxUrl: undefined, clock: () => new Date() }).get(code)!;
  const given = await over(adapter, options);
  return {
    ...given,
    upstream: double,
    close: async () => {
      double.goOn();
      await given.close();
      await double.stop();
    },
  };
};
