import type { Answers } from '../../../../commands/completions/answers/answer.ts';
import type { MediaDeps, MediaOrder } from '../../../../commands/media/media-order.ts';
import type { MediaForm } from '../../../kernel/media-upstream.ts';
import type { Call, Caller } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { payingKey } from '../llm/paying-key.ts';

export type MediaRoutes = Readonly<{
  media: MediaDeps;
  /** Does the work or joins it, and charges it. */
  run: Answers['run'];
  /** Bytes of the largest film. */
  mostVideoBytes: number;
}>;

/** What a call asks for. Throws DomainError `bad_request` for a key that is none. */
export const mediaOrderOf = (
  { body, header, keepUntil }: Call<MediaForm, undefined>,
  caller: Caller,
  streamed: boolean,
): MediaOrder => ({
  userId: caller.userId,
  ...payingKey(caller),
  form: body,
  keepUntil,
  key: idempotencyKey(header('idempotency-key')),
  streamed,
});
