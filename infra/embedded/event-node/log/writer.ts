import { Worker } from 'node:worker_threads';

export type WriterData = { path: string; maxBytes: number | undefined };

/** Rows for the log: `places` holds position, stream key, revision and body length of each, `bodies` the bodies in a row. */
export type WriterRows = { places: Float64Array<ArrayBuffer>; bodies: Uint8Array<ArrayBuffer> };
export type WriterRequest = ({ kind: 'rows'; epoch: number } & WriterRows) | { kind: 'close' };
export type WriterReply =
  | { kind: 'ready'; position: number }
  | { kind: 'committed'; position: number }
  | { kind: 'refused'; message: string }
  | { kind: 'closed' };

/** What the writer tells its owner. After `onRefused` everything sent since the last commit is gone. */
export type WriterEvents = {
  onCommitted: (position: number) => void;
  onRefused: (message: string) => void;
  /** The thread died: nothing more can be written. */
  onFault: (error: Error) => void;
};

export type Writer = {
  /** The last stored position when the writer started. */
  last: number;
  /** Hands rows over; they are stored in the order they come. */
  send: (rows: WriterRows) => void;
  /** Stores what was sent, brings the write-ahead log home and ends the thread. */
  close: () => Promise<void>;
};

/** Starts the thread that owns the log file; rejects when the file cannot be opened. */
export const startWriter = async (data: WriterData, events: WriterEvents): Promise<Writer> => {
  const worker = new Worker(new URL('writer.worker.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  const ready = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<undefined>();
  let started = false;
  let epoch = 0;
  worker.on('message', (reply: WriterReply) => {
    if (reply.kind === 'committed') events.onCommitted(reply.position);
    else if (reply.kind === 'ready') ready.resolve(reply.position);
    else if (reply.kind === 'closed') closed.resolve(undefined);
    else {
      epoch += 1;
      events.onRefused(reply.message);
    }
  });
  worker.once('error', (error: Error) => {
    closed.resolve(undefined);
    if (started) events.onFault(error);
    else ready.reject(error);
  });
  const last = await ready.promise;
  started = true;
  return {
    last,
    send: (rows) =>
      worker.postMessage({ kind: 'rows', epoch, ...rows } satisfies WriterRequest, [
        rows.places.buffer,
        rows.bodies.buffer,
      ]),
    close: async () => {
      worker.postMessage({ kind: 'close' } satisfies WriterRequest);
      await closed.promise;
      await worker.terminate();
    },
  };
};
