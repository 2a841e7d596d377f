import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { DomainError } from '../kernel/errors.ts';
import { envelopeOf, headersOf } from './problem.ts';

type Refusal = Readonly<{ status: number; error: DomainError }>;

/** What Node's parser says of requests that it could not hand on. */
const refusals: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, error: new DomainError('bad_request', 'the headers are too big; send fewer') },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    error: new DomainError('timeout_error', 'the request did not arrive in time; send it again'),
  },
};

const malformed: Refusal = {
  status: 400,
  error: new DomainError('bad_request', 'this is not a valid HTTP request; check method, address and headers'),
};

/** The headers of an answer that no middleware sees, by the origin that asks; empty when none is known. */
export type RefusalHeaders = (origin: string) => Readonly<Record<string, string>>;

type About = Readonly<{ requestId: string; headers: Readonly<Record<string, string>> }>;

/** Writes a whole refusal to a connection that has no response object, and closes it. */
export const refuseOnSocket = (socket: Duplex, { status, error }: Refusal, { requestId, headers }: About): void => {
  const body = JSON.stringify(envelopeOf(error, requestId, status));
  const lines = Object.entries({
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body).toString(),
    'X-Request-Id': requestId,
    ...headers,
    ...headersOf(error),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`);
  socket.end(`${[`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines].join('\r\n')}\r\n\r\n${body}`);
};

/** The origin in a request that could not be parsed, as far as it is there. */
const originIn = (packet: unknown): string =>
  Buffer.isBuffer(packet)
    ? (/\r\norigin:[ \t]*([!-~]{1,256})[ \t]*\r\n/i.exec(packet.toString('latin1'))?.[1] ?? '')
    : '';

/**
 * Answers, in the same envelope as everything else, what never became a request, and closes the connection: nothing
 * that follows on it can be trusted to start where a request starts.
 */
export const refuseUnparsed =
  (headersFor: RefusalHeaders) =>
  (error: NodeJS.ErrnoException & Readonly<{ rawPacket?: unknown }>, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const headers = headersFor(originIn(error.rawPacket));
    refuseOnSocket(socket, refusals[error.code ?? ''] ?? malformed, { requestId: randomUUID(), headers });
  };
