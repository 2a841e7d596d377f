import type { ServerResponse } from 'node:http';

/** Resolves when the client has taken what was written, or has gone. */
export const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });

const handing = (response: ServerResponse, hand: (done: () => void) => unknown): Promise<void> =>
  new Promise((resolve) => {
    // One that is closed already tells nobody of its end.
    if (response.destroyed) return resolve();
    response.once('close', resolve);
    hand(resolve);
  });

/** Writes a text, and resolves when everything up to it is handed to the connection, or the client has gone. */
export const written = (response: ServerResponse, text: string): Promise<void> =>
  handing(response, (done) => response.write(text, done));

/** Ends the response with a text, and resolves like `written`. */
export const ended = (response: ServerResponse, text: string): Promise<void> =>
  handing(response, (done) => response.end(text, done));
