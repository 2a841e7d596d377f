import { z } from 'zod';
import type { Answers } from '../../../../commands/completions/answers/answer.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { desktopBody, desktopOrderOf } from './desktop-body.ts';
import { jsonAnswer } from './json-answer.ts';
import { payingKey } from './paying-key.ts';
import { tellingReplayed } from './replayed.ts';
import { streamAnswer } from './stream-answer.ts';

const MOST_BYTES = 128 * 1024 * 1024;

const body = desktopBody.extend({ request_id: z.string().nullish() });

/** POST /api/llm/chat/completions: asks a model, streamed or at once. */
export const chatCompletions = (deps: Readonly<{ answers: Pick<Answers, 'open'> }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/llm/chat/completions',
    limit: 'write',
    scope: 'chat',
    body,
    maxBodyBytes: MOST_BYTES,
    anyText: true,
    handle: async ({ body: { request_id: requestId, ...wanted }, cause, gone, header, keepUntil }, caller) => {
      const key = idempotencyKey(header('idempotency-key')) ?? idempotencyKey(requestId || undefined, 'request_id');
      const named = key === undefined ? {} : { key };
      const order = { ...desktopOrderOf(caller.userId, wanted), ...payingKey(caller), ...named, keepUntil };
      const answer = await deps.answers.open(order, cause, gone);
      const created = Math.floor(answer.startedAt.getTime() / 1_000);
      if (!order.streamed) return tellingReplayed(answer, await jsonAnswer(answer, created));
      const write = streamAnswer.bind(undefined, answer, { created });
      return tellingReplayed(answer, { kind: 'stream', write });
    },
  });
