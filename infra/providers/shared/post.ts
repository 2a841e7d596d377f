import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { UpstreamError } from '../../../src/kernel/upstream.ts';
import { connectionError } from './failures.ts';

/** Limits on one call, in milliseconds. */
export type Patience = Readonly<{
  /** From the call to the answer's head. */
  headersMs: number;
  /** Between two pieces of the answer. */
  idleMs: number;
  /** From the call to the end of the answer. */
  totalMs: number;
}>;

export type Post = Readonly<{
  provider: string;
  path: string;
  /** POST when absent. */
  method?: 'GET' | 'DELETE';
  headers: Readonly<Record<string, string>>;
  /** What comes in pieces is sent as fast as the connection takes it; its length stands in the headers. */
  body?: string | AsyncIterable<Uint8Array>;
  signal: AbortSignal;
  patience: Patience;
}>;

/** An answer whose head has arrived. */
export type Answer = Readonly<{
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What has arrived since the last call, at least one piece; undefined at the end. One reader at a time. */
  read: () => Promise<readonly Buffer[] | undefined>;
  /** Gives the answer up. */
  cancel: () => void;
}>;

/** What may wait for a slow reader before the connection is told to wait. */
const HIGH_WATER = 64 * 1024;

type Pieces = readonly Buffer[] | undefined;
type Reader = Readonly<{ resolve: (pieces: Pieces) => void; reject: (error: UpstreamError) => void }>;

/** The pieces between connection and reader. */
const inbox = (controller: Dispatcher.DispatchController) => {
  let pieces: Buffer[] = [];
  let size = 0;
  let ended = false;
  let failure: UpstreamError | undefined;
  let reader: Reader | undefined;

  return {
    push: (piece: Buffer): void => {
      if (reader !== undefined) {
        const { resolve } = reader;
        reader = undefined;
        resolve([piece]);
        return;
      }
      pieces.push(piece);
      size += piece.length;
      if (size > HIGH_WATER && !controller.paused) controller.pause();
    },
    end: (error?: UpstreamError): void => {
      ended = true;
      failure ??= error;
      if (error === undefined) reader?.resolve(undefined);
      else reader?.reject(error);
      reader = undefined;
    },
    read: (): Promise<Pieces> => {
      if (pieces.length > 0) {
        const taken = pieces;
        pieces = [];
        size = 0;
        if (controller.paused) controller.resume();
        return Promise.resolve(taken);
      }
      if (failure !== undefined) return Promise.reject(failure);
      if (ended) return Promise.resolve(undefined);
      return new Promise((resolve, reject) => {
        reader = { resolve, reject };
      });
    },
  };
};

/**
 * Posts to a provider and resolves when the head of the answer is there, whatever its status. Straight on the
 * dispatcher: no stream objects between the socket and the reader. Throws UpstreamError.
 */
export const post = (dispatcher: Dispatcher, call: Post): Promise<Answer> => {
  const { provider, path, method = 'POST', headers, body, signal, patience } = call;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let incoming: ReturnType<typeof inbox> | undefined;
    let gaveUp: UpstreamError | undefined;

    const settle = (error?: UpstreamError): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (incoming !== undefined) incoming.end(error);
      else reject(error ?? connectionError(provider, new Error('the answer has no head'), true));
    };
    const giveUp = (kind: 'aborted' | 'timeout'): void => {
      if (gaveUp !== undefined) return;
      gaveUp = new UpstreamError({ provider, kind, neverReached: controller === undefined });
      controller?.abort(gaveUp);
      settle(gaveUp);
    };
    const onAbort = (): void => giveUp('aborted');
    const timer = setTimeout(() => giveUp('timeout'), patience.totalMs);

    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) return giveUp('aborted');
    dispatcher.dispatch(
      {
        method,
        path,
        headers,
        body: body === undefined || typeof body === 'string' ? (body ?? null) : Readable.from(body),
        headersTimeout: patience.headersMs,
        bodyTimeout: patience.idleMs,
      },
      {
        onRequestStart: (started) => {
          controller = started;
          if (gaveUp !== undefined) started.abort(gaveUp);
        },
        onResponseStart: (answering, status, answerHeaders) => {
          // 1xx heads come before the real one.
          if (status < 200) return;
          incoming = inbox(answering);
          resolve({ status, headers: answerHeaders, read: incoming.read, cancel: onAbort });
        },
        onResponseData: (_answering, piece) => incoming?.push(piece),
        onResponseEnd: () => settle(),
        onResponseError: (_answering, error) => {
          if (gaveUp === undefined) settle(connectionError(provider, error, controller !== undefined));
        },
      },
    );
  });
};
