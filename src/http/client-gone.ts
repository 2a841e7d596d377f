import type { ServerResponse } from 'node:http';

/** The client closed the connection before it had its answer. Nobody is left to be told. */
export class ClientGoneError extends Error {
  readonly tag = 'ClientGoneError';
  constructor() {
    super('the client closed the connection before the answer was complete');
    this.name = 'ClientGoneError';
  }
}

/** A signal that aborts when the connection closes before the whole answer was handed over, and never otherwise. */
export const goneSignal = (response: ServerResponse): AbortSignal => {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort(new ClientGoneError());
  });
  return controller.signal;
};

const CUT: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

/** True for the error of a connection that its other end has cut. */
export const isCut = (error: unknown): boolean => error instanceof Error && 'code' in error && CUT.has(error.code);

/** True for what is thrown because the client has gone, as against a failure of ours that came at that time. */
export const isBecauseGone = (thrown: unknown, gone: AbortSignal): boolean => {
  if (!(thrown instanceof Error)) return false;
  // The request can be known to be cut a moment before the answer is.
  if (thrown instanceof ClientGoneError) return true;
  return gone.aborted && thrown.name === 'AbortError';
};
