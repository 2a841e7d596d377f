import { z } from 'zod';
import { DomainError } from '../kernel/errors.ts';

/** Why something is changed, as `?reason=`. */
export const reasonQuery = z.object({ reason: z.string().trim().min(1).max(500).optional() });

/** The names of states, for `ETag` and `If-Match`. */
export const revisionTag = (revision: number): Readonly<Record<string, string>> => ({ ETag: `"${revision}"` });

/**
 * The revision that the caller has read at `source`; undefined when any will do. Refused with bad_request when it is none
 * of its ETags.
 */
export const revisionIn = (ifMatch: string | undefined, source: string): number | undefined => {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const match = /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch);
  if (match !== null) return Number(match[1]);
  throw new DomainError('bad_request', `If-Match takes the ETag of GET ${source}`);
};
