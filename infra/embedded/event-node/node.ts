import { startServer } from './grpc/server.ts';
import { lockDataDir } from './data-lock.ts';
import { startHealthServer } from './http.ts';
import { createMetrics } from './metrics.ts';
import { openEventStore } from './streams/event-store.ts';

/** Where the node tells what it does: a pino logger fits. */
type NodeLogger = {
  info: (fields: object, message: string) => void;
  warn: (fields: object, message: string) => void;
  error: (fields: object, message: string) => void;
};

export type NodeOptions = {
  dataDir: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Port for health and metrics over HTTP, 0 for a free one; none when missing. */
  httpPort?: number | undefined;
  /** The most bytes one append may have. */
  maxAppendBytes: number;
  /** `user:password` pairs that may use the streams; everyone when empty. */
  credentials: readonly string[];
  /** PEM texts; plain text when missing. */
  tls?: { certificate: Buffer; key: Buffer } | undefined;
  /** Refuse to grow the log beyond so many bytes. */
  maxLogBytes?: number | undefined;
  logger: NodeLogger;
  /** The storage broke: the process should end and be started again. */
  onFault: (error: Error) => void;
};

export type EventNode = { port: number; httpPort: number | undefined; close: () => Promise<void> };

/** Starts a node on a data directory; throws DirectoryInUse when another process has it. */
export const startNode = async (options: NodeOptions): Promise<EventNode> => {
  const { logger, dataDir } = options;
  const started = performance.now();
  const lock = lockDataDir(dataDir);
  try {
    const store = await openEventStore({
      dataDir,
      maxBytes: options.maxLogBytes,
      onFault: options.onFault,
      onProgress: (position) => logger.info({ position }, 'indexing the log'),
    });
    const { caughtUp, ahead } = store.index;
    const position = store.log.stored();
    if (lock.previous === 'crashed') {
      logger.warn(
        { position, indexed: caughtUp },
        'the last run did not end in order; every acknowledged event is here',
      );
    }
    if (ahead > 0) logger.error({ position, missing: ahead }, 'the log is shorter than its index: events were lost');
    const metrics = createMetrics(store);
    const server = await startServer(store, metrics, options);
    let ready = true;
    const health =
      options.httpPort === undefined
        ? undefined
        : await startHealthServer(
            { host: options.host, port: options.httpPort },
            { isReady: () => ready, metrics: metrics.text },
          );
    const took = Math.round(performance.now() - started);
    logger.info({ position, port: server.port, httpPort: health?.port, ms: took }, 'event node ready');
    return {
      port: server.port,
      httpPort: health?.port,
      close: async () => {
        ready = false;
        await server.close();
        await store.close();
        await health?.close();
        lock.release(true);
        logger.info({ position: store.log.stored() }, 'event node stopped');
      },
    };
  } catch (error) {
    lock.release(false);
    throw error;
  }
};
