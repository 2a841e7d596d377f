import type { Answer } from '../../../../commands/completions/answers/answer.ts';
import type { Reply } from '../../endpoint.ts';

const HEADER = 'Idempotent-Replayed';

/** The reply with the header that tells a repeated answer from a new one. */
export const tellingReplayed = ({ replayed }: Pick<Answer, 'replayed'>, reply: Reply): Reply => {
  if (!replayed) return reply;
  switch (reply.kind) {
    case 'json':
    case 'empty':
      return { ...reply, headers: { ...reply.headers, [HEADER]: 'true' } };
    case 'stream':
      return {
        kind: 'stream',
        write: (response) => {
          response.setHeader(HEADER, 'true');
          return reply.write(response);
        },
      };
    default:
      return reply;
  }
};
