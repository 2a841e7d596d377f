import type { z } from 'zod';
import { DomainError } from '../kernel/errors.ts';

/** One thing that is wrong with the input. `path` is dotted; empty when the whole is meant. */
export type InputIssue = Readonly<{ in: 'body' | 'query' | 'path'; path: string; code: string; message: string }>;

/** An answer must not grow with the nonsense that was sent. */
const MAX_ISSUES = 50;
const MAX_NAMED = 3;

const nameOf = ({ path, message }: InputIssue): string => (path === '' ? message : `${path}: ${message}`);

/** A path that cannot be the name of anything leads nowhere, as one whose thing is not there. */
const refusedAs = { body: 'validation_error', query: 'validation_error', path: 'not_found' } as const;

const refusal = (where: InputIssue['in'], issues: readonly z.core.$ZodIssue[]): DomainError => {
  const told = issues.slice(0, MAX_ISSUES).map((issue): InputIssue => ({
    in: where,
    path: issue.path.map(String).join('.'),
    code: issue.code,
    message: issue.message,
  }));
  const named = told.slice(0, MAX_NAMED).map(nameOf).join('; ');
  const more = issues.length > MAX_NAMED ? `; and ${issues.length - MAX_NAMED} more` : '';
  return new DomainError(refusedAs[where], `correct the ${where} and send it again (${named}${more})`, {
    details: { issues: told },
  });
};

/**
 * The input as its schema makes it. Throws DomainError `validation_error` (`not_found` for a path) that names all that is
 * wrong.
 */
export const validated = <T>(where: InputIssue['in'], schema: z.ZodType<T>, input: unknown): T => {
  const result = schema.safeParse(input);
  if (!result.success) throw refusal(where, result.error.issues);
  return result.data;
};

/** As `validated`, where a missing body is refused as such unless the schema makes do without one. */
export const validatedBody = <T>(schema: z.ZodType<T>, input: unknown): T => {
  if (input !== undefined) return validated('body', schema, input);
  const result = schema.safeParse(undefined);
  if (!result.success) throw new DomainError('bad_request', 'this request needs a JSON body; it came without one');
  return result.data;
};
