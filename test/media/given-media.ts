import { setTimeout as wait } from 'node:timers/promises';
import { creditAccount } from '../../commands/credits/index.ts';
import { defaultCompletionPolicy } from '../../commands/completions/policy.ts';
import { googleTranscription } from '../../infra/providers/google/google-transcription.ts';
import { googleVideo } from '../../infra/providers/google/google-video.ts';
import { openAiTranscription } from '../../infra/providers/openai/openai-transcription.ts';
import { diskSpool } from '../../src/http/form/spool.ts';
import { mediaEndpoints } from '../../src/http/routes/media/index.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { catalogue, givenCompletions, type GivenCompletions } from '../completions/given-completions.ts';
import { scriptedUpstream } from '../completions/scripted-upstream.ts';
import { FORM_TYPE, writtenForm, type WrittenPart } from '../http/form/written-form.ts';
import { startHttp } from '../support/given-http.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { temporaryDataDir } from '../support/running-server.ts';
import { localProvider, type LocalProvider } from './local-provider.ts';
import { wavOf } from './given-files.ts';

export type GivenMedia = GivenCompletions &
  Readonly<{
    url: string;
    openai: LocalProvider;
    google: LocalProvider;
    /** The directory that files are put into while they have a name. */
    spoolDir: string;
    /** Posts a form as Ada. */
    post: (
      path: string,
      parts: readonly WrittenPart[],
      options?: Readonly<{ signal?: AbortSignal; headers?: Record<string, string> }>,
    ) => Promise<Response>;
    close: () => Promise<void>;
  }>;

type Options = NonNullable<Parameters<typeof givenCompletions>[1]> &
  Readonly<{
    mostVideoBytes?: number;
    /** Providers that this server has no key for. */
    without?: readonly string[];
    /** Stands in for Google's own double. */
    googleUrl?: string;
  }>;

/** The endpoints for sound and film over HTTP, with doubles of both providers. */
export const givenMedia = async (options: Options = {}): Promise<GivenMedia> => {
  const { mostVideoBytes = 30 * 1024 * 1024, without = [], googleUrl, ...rest } = options;
  const given = await givenCompletions(scriptedUpstream([]), rest);
  const [openai, google] = await Promise.all([localProvider(), localProvider()]);
  const clock = (): Date => new Date();
  const atGoogle = { baseUrl: googleUrl ?? google.url, apiKeys: ['g'], clock, pollMs: 1 } as const;
  const transcriptions = [
    openAiTranscription({ baseUrl: openai.url, apiKey: 'sk-test', clock }),
    googleTranscription(atGoogle),
  ];
  const video = googleVideo(atGoogle);
  const has = (upstream: Readonly<{ provider: string }>): boolean => !without.includes(upstream.provider);
  const { logger } = memoryLogger();
  const credits = commandHandler(creditAccount, { store: given.store, logger, pause: () => wait(1) });
  const spool = temporaryDataDir();
  const http = await startHttp(
    mediaEndpoints({
      run: given.answers.run,
      mostVideoBytes,
      media: {
        catalogue: () => catalogue,
        transcriptions: (provider) => transcriptions.filter(has).find((upstream) => upstream.provider === provider),
        videos: (provider) => [video].filter(has).find((upstream) => upstream.provider === provider),
        credits,
        policy: { ...defaultCompletionPolicy, ...rest },
        clock,
      },
    }),
    { spool: diskSpool(spool.path) },
  );
  return {
    ...given,
    url: http.url,
    openai,
    google,
    spoolDir: spool.path,
    post: (path, parts, { signal, headers = {} } = {}) =>
      fetch(http.url + path, {
        method: 'POST',
        headers: { authorization: 'Bearer ada', ...FORM_TYPE, ...headers },
        body: writtenForm(parts),
        ...(signal === undefined ? {} : { signal }),
      }),
    close: async () => {
      await given.completions.shutdown({ graceMs: 0, limitMs: 2_000 });
      await http.close();
      await Promise.all([...transcriptions, video].map((upstream) => upstream.close()));
      await Promise.all([openai.stop(), google.stop()]);
      spool.remove();
    },
  };
};

export const TRANSCRIPTIONS = '/api/audio/transcriptions';
export const VIDEO = '/api/llm/video/analyze';

/** A form for a transcription: three seconds of sound. */
export const speech = (
  texts: Readonly<Record<string, string>> = {},
  file: Partial<WrittenPart> | null = {},
): readonly WrittenPart[] => [
  ...Object.entries({ model: 'openai/gpt-4o-transcribe', durationMs: '3000', ...texts }).map(([name, value]) => ({
    name,
    value,
  })),
  ...(file === null ? [] : [{ name: 'file', value: wavOf(0.2), fileName: 'audio.wav', type: 'audio/wav', ...file }]),
];
