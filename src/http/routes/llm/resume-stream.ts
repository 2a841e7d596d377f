import { z } from 'zod';
import type { Answers } from '../../../../commands/completions/answers/answer.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';
import { tellingReplayed } from './replayed.ts';
import { streamAnswer } from './stream-answer.ts';

const MOST_CHUNKS = 10_000_000;

const query = z.object({ after: z.coerce.number().int().min(0).max(MOST_CHUNKS).default(0) });

/**
 * GET /api/llm/requests/:requestId/stream?after=n: the rest of a recorded answer as server-sent events, without the first
 * n of its content chunks, on whatever instance it is made.
 */
export const resumeStream = ({ answers }: Readonly<{ answers: Pick<Answers, 'follow'> }>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/llm/requests/:requestId/stream',
    limit: 'read',
    scope: 'chat',
    params: uuidParams('requestId'),
    query,
    handle: async ({ params, query: { after }, gone }, { userId }) => {
      const answer = await answers.follow(params['requestId'] ?? '', userId, gone);
      const created = Math.floor(answer.startedAt.getTime() / 1_000);
      const write = streamAnswer.bind(undefined, answer, { created, after });
      return tellingReplayed(answer, { kind: 'stream', write });
    },
  });
