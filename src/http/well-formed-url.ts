import { DomainError } from '../kernel/errors.ts';
import type { EdgeMiddleware } from './edge-state.ts';

const decodes = (text: string): boolean => {
  try {
    // A NUL is valid text but no database stores it.
    return !decodeURIComponent(text).includes('\0');
  } catch {
    return false;
  }
};

/** Refuses addresses whose percent-encoding is broken, before anything interprets half of them. */
export const wellFormedUrl: EdgeMiddleware = (ctx, next) => {
  if (!decodes(ctx.url)) throw new DomainError('bad_request', 'the address has broken percent-encoding; correct it');
  return next();
};
