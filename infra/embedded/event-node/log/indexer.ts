import { Worker } from 'node:worker_threads';

export type IndexerData = { logPath: string; indexPath: string; filter: SharedArrayBuffer };
export type IndexerRequest = { kind: 'index' } | { kind: 'close' };
export type IndexerReply =
  | { kind: 'progress'; position: number }
  | { kind: 'ready'; position: number; caughtUp: number; ahead: number }
  | { kind: 'indexed'; position: number }
  | { kind: 'filtered' }
  | { kind: 'closed' };

export type IndexerEvents = {
  /** Told while a start has much to index. */
  onProgress: (position: number) => void;
  onIndexed: (position: number) => void;
  /** The filter knows every stream of the index from now on. */
  onFiltered: () => void;
  onFault: (error: Error) => void;
};

export type Indexer = {
  /** Everything up to here is in the index. */
  position: number;
  /** Events the index was behind at start, and events it knew that the log did not have. */
  caughtUp: number;
  ahead: number;
  /** Asks to index what the log holds; the answer comes as `onIndexed`. */
  index: () => void;
  /** Indexes the rest and ends the thread. */
  close: () => Promise<void>;
};

/** Starts the thread that owns the index file, after bringing the index level with the log. */
export const startIndexer = async (data: IndexerData, events: IndexerEvents): Promise<Indexer> => {
  const worker = new Worker(new URL('indexer.worker.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  const ready = Promise.withResolvers<Extract<IndexerReply, { kind: 'ready' }>>();
  const closed = Promise.withResolvers<undefined>();
  let started = false;
  worker.on('message', (reply: IndexerReply) => {
    if (reply.kind === 'indexed') events.onIndexed(reply.position);
    else if (reply.kind === 'filtered') events.onFiltered();
    else if (reply.kind === 'progress') events.onProgress(reply.position);
    else if (reply.kind === 'ready') ready.resolve(reply);
    else closed.resolve(undefined);
  });
  worker.once('error', (error: Error) => {
    closed.resolve(undefined);
    if (started) events.onFault(error);
    else ready.reject(error);
  });
  const { position, caughtUp, ahead } = await ready.promise;
  started = true;
  return {
    position,
    caughtUp,
    ahead,
    index: () => worker.postMessage({ kind: 'index' } satisfies IndexerRequest),
    close: async () => {
      worker.postMessage({ kind: 'close' } satisfies IndexerRequest);
      await closed.promise;
      await worker.terminate();
    },
  };
};
