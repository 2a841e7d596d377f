import { z } from 'zod';

/** Further than any list goes; it keeps a query from counting for ever. */
const FURTHEST = 1_000_000;
const MOST = 100;

const count = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number that is not negative')
  .transform(Number);

/** A page size: more than the most is the most. */
export const limitOf = (usual: number) =>
  count
    .refine((limit) => limit > 0, 'must be at least 1')
    .transform((limit) => Math.min(limit, MOST))
    .default(usual);

/** How many entries to leave out. */
export const offsetOf = count.refine((offset) => offset <= FURTHEST, `must be at most ${FURTHEST}`).default(0);
