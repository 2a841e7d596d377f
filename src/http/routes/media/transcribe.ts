import { transcriptionJob } from '../../../../commands/media/transcription-job.ts';
import type { MediaForm } from '../../../kernel/media-upstream.ts';
import { usdNumber } from '../../../kernel/money.ts';
import { completionTokens, promptTokens } from '../../../kernel/usage.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import type { FormSpec } from '../../form/form.ts';
import { tellingReplayed } from '../llm/replayed.ts';
import { wholeAnswer } from '../llm/whole-answer.ts';
import { mediaOrderOf, type MediaRoutes } from './media-run.ts';
import { streamTranscript } from './transcript-stream.ts';

/** More than any of these may mean; what they mean is checked later. */
const SHORT = 256;
const LONG = 1024 * 1024;

const form: FormSpec = {
  file: { field: 'file', mostBytes: 100 * 1024 * 1024 },
  texts: { model: SHORT, durationMs: SHORT, language: SHORT, temperature: SHORT, prompt: LONG },
};

const path = '/api/audio/transcriptions';
const common = { method: 'POST', limit: 'write', scope: 'audio', form } as const;

/** POST /api/audio/transcriptions: speech to text, at once. */
export const transcribe = ({ media, run }: MediaRoutes): Endpoint =>
  userEndpoint<MediaForm>({
    ...common,
    path,
    handle: async (call, caller) => {
      const job = transcriptionJob(media, mediaOrderOf(call, caller, false));
      const running = await run(job, call.cause, call.gone);
      const { completion, ended } = await wholeAnswer(running);
      const { usage, charged } = ended;
      const reply = json(200, {
        text: completion.text.trim(),
        requestId: running.requestId,
        ...(usage === undefined
          ? {}
          : {
              usage: {
                promptTokens: promptTokens(usage),
                completionTokens: completionTokens(usage),
                totalTokens: promptTokens(usage) + completionTokens(usage),
                cost: usdNumber(charged),
              },
            }),
      });
      return tellingReplayed(running, reply);
    },
  });

/** POST /api/audio/transcriptions/stream: speech to text, piece by piece. */
export const transcribePiecewise = ({ media, run }: MediaRoutes): Endpoint =>
  userEndpoint<MediaForm>({
    ...common,
    path: `${path}/stream`,
    handle: async (call, caller) => {
      const job = transcriptionJob(media, mediaOrderOf(call, caller, true));
      const running = await run(job, call.cause, call.gone);
      return tellingReplayed(running, { kind: 'stream', write: (response) => streamTranscript(running, response) });
    },
  });
