import type { IncomingMessage, ServerResponse } from 'node:http';
import { DomainError } from '../kernel/errors.ts';
import { ClientGoneError } from './client-gone.ts';

export type BodyLimits = Readonly<{
  maxBytes: number;
  timeoutMs: number;
  /** Told how many bytes there are or will be; throws when there is no room for them. */
  grow: (bytes: number) => void;
}>;

/** A body with more bytes than it may have. */
export const tooLargeBody = (maxBytes: number): DomainError =>
  new DomainError('payload_too_large', `the body may have at most ${maxBytes} bytes; send less`, {
    details: { max_bytes: maxBytes },
  });

/** A body that did not come in time. */
export const tooSlowBody = (timeoutMs: number): DomainError =>
  new DomainError('timeout_error', `the body did not arrive within ${timeoutMs / 1000} s; send it faster or in parts`);

/** True when the request says that a body follows. */
export const announcesBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

/**
 * The whole body. Refuses with `payload_too_large` as soon as the length that was announced or the bytes that came are
 * over the limit, with `timeout_error` when they take too long, and with what `grow` throws; throws ClientGoneError when
 * the client stops.
 */
export const readBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, timeoutMs, grow }: BodyLimits,
): Promise<Buffer> => {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw tooLargeBody(maxBytes);
  grow(announced);
  // A client that waits for a go-ahead gets it only here, after everything that could refuse the request without a body.
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onLost).off('error', onLost);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) return settle(() => reject(tooLargeBody(maxBytes)));
      try {
        grow(size);
      } catch (error) {
        return settle(() =>
          reject(error instanceof Error ? error : new Error('no room for the body', { cause: error })),
        );
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks, size)));
    const onLost = (): void => settle(() => reject(new ClientGoneError()));
    const timer = setTimeout(() => settle(() => reject(tooSlowBody(timeoutMs))), timeoutMs);
    request.on('data', onData).on('end', onEnd).on('close', onLost).on('error', onLost);
  });
};

/** How long the rest of a refused body is thrown away, so that the client can read its answer before the connection ends. */
const LINGER_MS = 5000;

/** Lets a request whose body nobody wanted end in peace, and cuts it when it goes on. */
export const discardRest = (request: IncomingMessage): void => {
  if (request.complete) return;
  request.resume();
  setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, LINGER_MS).unref();
};
