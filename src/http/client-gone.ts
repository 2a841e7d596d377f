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

/** True for what handlers throw because the client has gone, as against a failure of theirs that came at that time. */
export const isBecauseGone = (thrown: unknown, gone: AbortSignal): boolean =>
  gone.aborted && thrown instanceof Error && (thrown === gone.reason || thrown.name === 'AbortError');
