import type { ServerResponse } from 'node:http';
import type { Answering, Ended } from '../../../../commands/completions/running-completion.ts';
import { ended } from '../../handing-over.ts';
import { openAiError } from '../../openai-errors.ts';
import { problemOf } from '../../problem.ts';
import { deliverEvents } from '../llm/answer-events.ts';
import { failureOf } from '../llm/whole-answer.ts';
import { brokenOff } from './broken-off.ts';
import { v1Chunks } from './v1-chunks.ts';

/** Why there is no good end; undefined when there is one. */
const faultOf = (outcome: Ended): unknown => {
  if (outcome.how !== 'completed') return failureOf(outcome);
  return outcome.finish === 'error' ? brokenOff() : undefined;
};

/**
 * Streams an answer as OpenAI does: chunks and `[DONE]`, which is sent when the charge is durable. An answer that fails
 * after its head was sent ends with an `error` instead, which the SDKs throw, and rejects with the cause.
 */
export const v1Stream = async (
  running: Answering,
  options: Readonly<{ createdSeconds: number; includeUsage: boolean }>,
  response: ServerResponse,
): Promise<void> => {
  const { requestId, modelId } = running;
  const { createdSeconds: created, includeUsage } = options;
  const chunks = v1Chunks({ id: `chatcmpl-${requestId}`, model: modelId, created, includeUsage });
  const { ended: outcome } = await deliverEvents(running, chunks, response);
  const fault = faultOf(outcome);
  if (fault === undefined) {
    response.end(chunks.ending(outcome.finish ?? 'stop', outcome.usage));
    return;
  }
  if (outcome.how !== 'gone') await ended(response, `data: ${JSON.stringify(openAiError(problemOf(fault).error))}\n\n`);
  throw fault as Error;
};
