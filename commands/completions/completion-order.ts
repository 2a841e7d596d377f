import type { ChatTask } from '../../src/kernel/upstream.ts';
import type { Job, PayingKey } from './plan.ts';

/** What a client wants from a model. */
export type CompletionOrder = Readonly<{
  userId: string;
  /** The API key that it is asked for with; absent: by somebody who is signed in. */
  apiKey?: PayingKey;
  modelId: string;
  /** What the client does it for: `general` when it does not say. */
  taskType: string;
  task: ChatTask;
  /** True when the answer is handed on piece by piece. */
  streamed: boolean;
  /** The client's `Idempotency-Key`: the same key and order is the same request. */
  key?: string;
  /** See Job. */
  resumable?: boolean;
  /** See Job. */
  keepUntil?: Job['keepUntil'];
}>;
