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

/** Writes a whole refusal to a connection that has no response object, and closes it. */
export const refuseOnSocket = (
  socket: Duplex,
  { status, error }: Refusal,
  requestId = randomUUID() as string,
): void => {
  const body = JSON.stringify(envelopeOf(error, requestId, status));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headersOf(error)).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};

/**
 * Answers, in the same envelope as everything else, what never became a request, and closes the connection: nothing
 * that follows on it can be trusted to start where a request starts.
 */
export const refuseUnparsed = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  refuseOnSocket(socket, refusals[error.code ?? ''] ?? malformed);
};
