import { z } from 'zod';
import type { Answers } from '../../../../commands/completions/answers/answer.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { payingKey } from '../llm/paying-key.ts';
import { tellingReplayed } from '../llm/replayed.ts';
import { callableModel, type Offer } from './callable-models.ts';
import { readOrder } from './v1-body.ts';
import { v1Completion } from './v1-completion.ts';
import { v1Stream } from './v1-stream.ts';

const MOST_BYTES = 128 * 1024 * 1024;
const MILLISECONDS = 1_000;

/** POST /v1/chat/completions: asks a model in OpenAI's format, streamed or at once. */
export const v1ChatCompletions = (deps: Offer & Readonly<{ answers: Pick<Answers, 'open'> }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/v1/chat/completions',
    limit: 'write',
    scope: 'chat',
    // Read by code of its own, whose refusals name parameters in OpenAI's way.
    body: z.unknown(),
    maxBodyBytes: MOST_BYTES,
    anyText: true,
    handle: async ({ body, cause, gone, header, keepUntil }, caller) => {
      const { order, includeUsage } = readOrder(caller.userId, body);
      callableModel(deps, order.modelId);
      const key = idempotencyKey(header('idempotency-key'));
      const wish = { ...order, ...payingKey(caller), ...(key === undefined ? {} : { key }), keepUntil };
      const answer = await deps.answers.open(wish, cause, gone);
      const createdSeconds = Math.floor(answer.startedAt.getTime() / MILLISECONDS);
      if (!order.streamed) return tellingReplayed(answer, await v1Completion(answer, createdSeconds));
      const write = v1Stream.bind(undefined, answer, { createdSeconds, includeUsage });
      return tellingReplayed(answer, { kind: 'stream', write });
    },
  });
