import { DomainError } from '../kernel/errors.ts';

/** The client's own name for its wish. Throws DomainError `bad_request` for one that is unusable. */
export const idempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined || /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new DomainError('bad_request', 'Idempotency-Key must be 1 to 255 printable characters without spaces');
};
