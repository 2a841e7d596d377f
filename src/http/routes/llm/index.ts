import type { Answers } from '../../../../commands/completions/answers/answer.ts';
import type { Endpoint } from '../../endpoint.ts';
import { cancelRequest } from './cancel.ts';
import { chatCompletions } from './chat-completions.ts';
import type { KnownRequests } from './known-requests.ts';
import { requestStatus } from './request-status.ts';
import { resumeStream } from './resume-stream.ts';

/** Everything under /api/llm. */
export const llmEndpoints = (deps: Readonly<{ answers: Answers; requests: KnownRequests }>): readonly Endpoint[] => [
  chatCompletions(deps),
  cancelRequest(deps),
  requestStatus(deps),
  resumeStream(deps),
];
