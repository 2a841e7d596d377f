import type { Completions } from '../../../../commands/completions/completions.ts';
import type { Clock } from '../../../kernel/clock.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { desktopBody, desktopOrderOf } from './desktop-body.ts';
import { jsonAnswer } from './json-answer.ts';
import { payingKey } from './paying-key.ts';
import { streamAnswer } from './stream-answer.ts';

const MOST_BYTES = 128 * 1024 * 1024;

/** POST /api/llm/chat/completions: asks a model, streamed or at once. */
export const chatCompletions = (deps: Readonly<{ completions: Completions; clock: Clock }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/llm/chat/completions',
    limit: 'write',
    scope: 'chat',
    body: desktopBody,
    maxBodyBytes: MOST_BYTES,
    anyText: true,
    handle: async ({ body, cause, gone }, caller) => {
      const order = { ...desktopOrderOf(caller.userId, body), ...payingKey(caller) };
      const running = await deps.completions.open(order, cause, gone);
      const created = Math.floor(deps.clock().getTime() / 1_000);
      if (!order.streamed) return jsonAnswer(running, created);
      return { kind: 'stream', write: (response) => streamAnswer(running, created, response) };
    },
  });
