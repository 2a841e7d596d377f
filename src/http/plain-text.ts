import { z } from 'zod';

/** Text that every store can keep: no NUL, no half characters. */
export const isPlain = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** A schema for such text, of at most so many characters. */
export const plainText = (max: number) => z.string().max(max).refine(isPlain, 'must be plain text');
