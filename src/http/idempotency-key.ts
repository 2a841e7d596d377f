import { DomainError } from '../kernel/errors.ts';

/** The client's own name for its wish, as it stands in `member`. Throws DomainError `bad_request` for an unusable one. */
export const idempotencyKey = (key: string | undefined, member = 'Idempotency-Key'): string | undefined => {
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new DomainError('bad_request', `${member} must be 1 to 255 printable characters without spaces`);
};
