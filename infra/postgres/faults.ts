import { DatabaseUnavailableError, isDatabaseUnavailable } from '../../src/kernel/query.ts';

/** Errors of the socket itself. */
const SOCKET = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

/** SQLSTATE classes and codes of a server that is going, coming, full or given up on. */
const GOING = /^(08|57P0[1-5]|53|58|57014$|55P03$|40001$|40P01$)/;

/** What the driver says, without a code, when the connection has gone or never came. */
const DRIVER =
  /connection (terminated|error|timeout)|not queryable|timeout exceeded|read timeout|pool after calling end/i;

const codeOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
};

/** True when the database did not answer, or not in time, or gave way to somebody else: the same may work in a moment. */
export const isPassing = (error: unknown): boolean => {
  if (isDatabaseUnavailable(error)) return true;
  const code = codeOf(error);
  if (code !== '') return SOCKET.has(code) || GOING.test(code);
  return error instanceof Error && DRIVER.test(error.message);
};

/** True when a table, column, schema or role is not there: dropped, or not made yet. */
export const isMissing = (error: unknown): boolean => /^(42P01|42703|3F000)$/.test(codeOf(error));

/** True when the connection cannot be used again. */
export const isLost = (error: unknown): boolean => {
  const code = codeOf(error);
  return (
    SOCKET.has(code) || /^(08|57P0)/.test(code) || (code === '' && error instanceof Error && DRIVER.test(error.message))
  );
};

/** The fault as the query port names it: unavailable when asking again makes sense, else as it is. */
export const asQueryFault = (error: unknown): unknown => {
  if (isDatabaseUnavailable(error)) return error;
  if (isMissing(error)) return new DatabaseUnavailableError('the read model is being prepared', error);
  return isPassing(error) ? new DatabaseUnavailableError('no answer', error) : error;
};

const frameOf = (error: Error): string => {
  const frame = /(?:projections|infra|src)\/[\w./-]+\.ts:\d+/.exec(error.stack ?? '');
  return frame === null ? '' : ` at ${frame[0]}`;
};

/**
 * Why something failed, safe to store and show: kinds, names and places, never the message, which may quote what a user
 * wrote.
 */
export const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'not an error';
  const code = codeOf(error);
  const { table, column, constraint } = error as { table?: string; column?: string; constraint?: string };
  const where = [table, column, constraint].filter((part) => part !== undefined).join('.');
  if (/^[0-9A-Z]{5}$/.test(code)) return `sqlstate ${code}${where === '' ? '' : ` on ${where}`}`;
  return `${error.name}${code === '' ? '' : ` ${code}`}${frameOf(error)}`;
};
