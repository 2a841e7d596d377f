import type { Completions } from '../../../../commands/completions/completions.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { Endpoint } from '../../endpoint.ts';
import { cancelRequest } from './cancel.ts';
import { chatCompletions } from './chat-completions.ts';
import type { KnownRequests } from './known-requests.ts';
import { requestStatus } from './request-status.ts';

/** Everything under /api/llm. */
export const llmEndpoints = (
  deps: Readonly<{ completions: Completions; requests: KnownRequests; clock: Clock }>,
): readonly Endpoint[] => [chatCompletions(deps), cancelRequest(deps), requestStatus(deps)];
