import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../kernel/errors.ts';
import { announcesBody, readBody } from './body.ts';
import type { BodyLimits } from './body.ts';

/** Deeper than any honest document, and far below what makes recursive code run out of stack. */
const MAX_DEPTH = 128;
/** More values than any honest document; a body of nothing but commas must not keep the process busy. */
const MAX_VALUES = 1_000_000;

/** A body that takes so long to read that others are given their turn between the steps: a few milliseconds. */
const LARGE_BYTES = 2 * 1024 * 1024;

const othersTurn = (): Promise<unknown> => new Promise(setImmediate);

const badRequest = (detail: string) => new DomainError('bad_request', detail);

/** Told like any other body that cannot be read: the shipped clients send a request again whose error they do not know. */
const refuseMediaType = (detail: string): never => {
  throw new DomainError('bad_request', detail, { details: { code: 'unsupported_content_type' } });
};

const refuseUnlessJson = (request: IncomingMessage): void => {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    refuseMediaType('compressed bodies are not accepted; send the JSON as it is');
  }
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').split(';').map((part) => part.trim());
  if (type.toLowerCase() !== 'application/json') {
    refuseMediaType('the body must be JSON; send it with Content-Type: application/json');
  }
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter));
  if (charset !== undefined && !/^charset="?utf-?8"?$/i.test(charset)) {
    refuseMediaType('the body must be encoded in UTF-8');
  }
};

const textOf = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badRequest('the body is not valid UTF-8');
  }
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Only the place is told: the parser's own message quotes the body.
    const place = /position \d+/.exec(error instanceof Error ? error.message : '')?.[0];
    throw badRequest(`the body is not valid JSON${place === undefined ? '' : ` at ${place}`}; check its syntax`);
  }
};

const refuseCrowd = (): never => {
  throw badRequest(`the body holds more than ${MAX_VALUES} values`);
};

const childrenOf = (value: object): readonly unknown[] => {
  if (Array.isArray(value)) return value.length > MAX_VALUES ? refuseCrowd() : value;
  if (Object.hasOwn(value, '__proto__')) throw badRequest('a key of the body has a name that is not allowed');
  return Object.values(value);
};

const refuseUnreal = (value: unknown, anyText: boolean): void => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw badRequest('a number of the body is too large');
  if (anyText || typeof value !== 'string' || value.isWellFormed()) return;
  throw badRequest('a text of the body holds half a character (a lone surrogate); send whole characters');
};

/**
 * Refuses what valid JSON can still do to the code behind: endless nesting, endless lists, a prototype as a key, numbers
 * without end and, unless any text is welcome, texts that are none. Throws DomainError `bad_request`.
 */
export const refuseHostile = (root: unknown, anyText: boolean): void => {
  let level: readonly unknown[] = [root];
  let seen = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    seen += level.length;
    if (depth > MAX_DEPTH) throw badRequest(`the body is nested deeper than ${MAX_DEPTH} levels`);
    if (seen > MAX_VALUES) refuseCrowd();
    level = level.flatMap((value) => {
      if (typeof value === 'object' && value !== null) return childrenOf(value);
      refuseUnreal(value, anyText);
      return [];
    });
  }
};

/**
 * The JSON value of a request's body; undefined when it has none. Throws DomainErrors `bad_request`,
 * `payload_too_large`, `timeout_error`.
 */
export const readJson = async (
  request: IncomingMessage,
  response: ServerResponse,
  limits: BodyLimits & Readonly<{ anyText: boolean }>,
): Promise<unknown> => {
  if (!announcesBody(request)) return undefined;
  refuseUnlessJson(request);
  const bytes = await readBody(request, response, limits);
  if (bytes.length === 0) return undefined;
  const isLarge = bytes.length > LARGE_BYTES;
  const text = textOf(bytes);
  if (isLarge) await othersTurn();
  const value = parse(text);
  if (isLarge) await othersTurn();
  refuseHostile(value, limits.anyText);
  return value;
};
