import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import { DomainError } from '../../kernel/errors.ts';
import { tooLargeBody, tooSlowBody } from '../body.ts';
import { ClientGoneError } from '../client-gone.ts';
import { formParts, type FormParts } from './form-parts.ts';
import type { FormSpec } from './form.ts';
import { partHeaderOf } from './part-header.ts';
import type { Spool } from './spool.ts';

export type FormDeps = Readonly<{
  spool: Spool;
  /** What a body may take at most; one that keeps coming may take longer. */
  timeoutMs: number;
  /** Told how many bytes there are or will be; throws when there is no room for them. */
  grow: (bytes: number) => void;
}>;

/** The boundaries and heads of parts, unknown fields. */
const OVERHEAD = 256 * 1024;
const MOST_PARTS = 64;
const HEADER = { maxHeaderPairs: 16, maxHeaderSize: 8 * 1024 };
/** A body that comes slower than this, in bytes a millisecond, has no more than the time of any other body. */
const SLOWEST = 64;

const TYPE = /^multipart\/form-data\s*;/i;
const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i;

const bad = (detail: string): DomainError => new DomainError('bad_request', detail);

const boundaryOf = ({ headers }: IncomingMessage): string => {
  const type = headers['content-type'] ?? '';
  if (!TYPE.test(type)) {
    throw bad('the body must be a form; send it with Content-Type: multipart/form-data and its boundary');
  }
  const [, quoted, plain] = BOUNDARY.exec(type) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw bad('the Content-Type of the form names no boundary');
  return boundary;
};

const mostBytesOf = ({ file, texts }: FormSpec): number =>
  file.mostBytes + OVERHEAD + Object.values(texts).reduce((sum, bytes) => sum + bytes, 0);

/** Feeds a body to the parser, piece by piece, as fast as the parts are taken. */
const parse = (
  request: IncomingMessage,
  boundary: string,
  parts: FormParts,
  limits: Readonly<{ mostBytes: number }> & Omit<FormDeps, 'spool'>,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const parser = new Dicer({ boundary, ...HEADER });
    const open = new Set<Readable>();
    const taking: Promise<void>[] = [];
    const startedAt = performance.now();
    let received = 0;
    let seen = 0;
    let headless = 0;
    let ended = false;
    let parsed = false;
    let over = false;

    const stop = (): void => {
      over = true;
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onLost).off('error', onLost);
    };
    const fail = (error: Error): void => {
      if (over) return;
      stop();
      // Whoever still reads a part is told, so that nobody writes to a file that is given up.
      for (const part of open) part.destroy(error);
      void Promise.allSettled(taking).then(() => reject(error));
    };
    const finishWhenDone = (): void => {
      if (over || !ended || !parsed) return;
      stop();
      if (headless > 0) taking.push(Promise.reject(bad('a part of the form has no end of its head')));
      Promise.all(taking).then(() => resolve(), reject);
    };

    parser.on('part', (part) => {
      part.on('error', () => undefined);
      seen += 1;
      headless += 1;
      if (seen > MOST_PARTS) fail(bad(`the form has more than ${MOST_PARTS} parts`));
      part.once('header', (headers: object) => {
        headless -= 1;
        const header = partHeaderOf(headers as Record<string, readonly string[]>);
        if (over || header === undefined) {
          part.resume();
          return;
        }
        open.add(part);
        const taken = parts.take(header, part);
        taking.push(taken);
        taken.then(() => open.delete(part), fail);
      });
    });
    parser.on('error', () => fail(bad('the form is cut off or is none; send all of it, to its last boundary')));
    parser.on('finish', () => {
      parsed = true;
      // What follows the last boundary means nothing, but it must be read to its end.
      request.resume();
      finishWhenDone();
    });

    const onData = (bytes: Buffer): void => {
      received += bytes.length;
      if (received > limits.mostBytes) return fail(tooLargeBody(limits.mostBytes));
      try {
        limits.grow(received);
      } catch (error) {
        return fail(error as Error);
      }
      if (parsed || parser.write(bytes)) return;
      request.pause();
      parser.once('drain', () => request.resume());
    };
    const onEnd = (): void => {
      ended = true;
      if (!parsed) parser.end();
      finishWhenDone();
    };
    const onLost = (): void => {
      if (!ended) fail(new ClientGoneError());
    };
    const checkTime = (): void => {
      const left = startedAt + limits.timeoutMs + received / SLOWEST - performance.now();
      if (left <= 0) return fail(tooSlowBody(limits.timeoutMs));
      timer = setTimeout(checkTime, left + 1);
    };
    let timer = setTimeout(checkTime, limits.timeoutMs);
    request.on('data', onData).on('end', onEnd).on('close', onLost).on('error', onLost);
  });

/**
 * Reads a form, its file to disk. Throws DomainErrors `bad_request`, `payload_too_large`, `timeout_error`,
 * `service_unavailable`, ClientGoneError and what `grow` throws; nothing is left on disk then. Otherwise the caller gives the file up.
 */
export const readForm = async (
  request: IncomingMessage,
  response: ServerResponse,
  spec: FormSpec,
  { spool, timeoutMs, grow }: FormDeps,
): Promise<FormParts> => {
  const boundary = boundaryOf(request);
  const mostBytes = mostBytesOf(spec);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > mostBytes) throw tooLargeBody(mostBytes);
  grow(announced);
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  const parts = formParts(spec, spool);
  try {
    await parse(request, boundary, parts, { mostBytes, timeoutMs, grow });
    return parts;
  } catch (error) {
    await parts.discard();
    throw error;
  }
};
