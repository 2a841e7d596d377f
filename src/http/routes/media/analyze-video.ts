import { videoJob } from '../../../../commands/media/video-job.ts';
import type { MediaForm } from '../../../kernel/media-upstream.ts';
import { cachedTokens, completionTokens, promptTokens } from '../../../kernel/usage.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { tellingReplayed } from '../llm/replayed.ts';
import { wholeAnswer } from '../llm/whole-answer.ts';
import { mediaOrderOf, type MediaRoutes } from './media-run.ts';

const SHORT = 256;
const LONG = 1024 * 1024;

/** POST /api/llm/video/analyze: asks a model about a film. */
export const analyzeVideo = ({ media, run, mostVideoBytes }: MediaRoutes): Endpoint =>
  userEndpoint<MediaForm>({
    method: 'POST',
    path: '/api/llm/video/analyze',
    limit: 'write',
    scope: 'audio',
    form: {
      file: { field: 'video', mostBytes: mostVideoBytes },
      texts: {
        prompt: LONG,
        systemPrompt: LONG,
        model: SHORT,
        durationMs: SHORT,
        temperature: SHORT,
        framerate: SHORT,
        requestId: SHORT,
      },
    },
    handle: async (call, caller) => {
      const job = videoJob(media, mediaOrderOf(call, caller, false));
      const running = await run(job, call.cause, call.gone);
      const { completion, ended } = await wholeAnswer(running);
      const { usage } = ended;
      const prompt = usage === undefined ? 0 : promptTokens(usage);
      const answer = usage === undefined ? 0 : completionTokens(usage);
      const reply = json(200, {
        analysis: completion.text,
        usage: {
          promptTokens: prompt,
          completionTokens: answer,
          totalTokens: prompt + answer,
          cachedTokens: usage === undefined ? 0 : cachedTokens(usage),
        },
        requestId: running.requestId,
      });
      return tellingReplayed(running, reply);
    },
  });
