import { defineTable } from '../../src/kernel/table.ts';

/** One row a request that money was put on hold for. */
export const requestsTable = defineTable({
  name: 'requests',
  columns: {
    request_id: { type: 'text' },
    user_id: { type: 'uuid' },
    provider: { type: 'text' },
    /** `active`, `completed`, `failed` or `cancelled`. */
    status: { type: 'text' },
    /** OpenAI's own id of the answer, when it was OpenAI that gave it. */
    openai_response_id: { type: 'text', nullable: true },
    created_at: { type: 'timestamptz' },
  },
  key: ['request_id'],
  owner: 'user_id',
});
