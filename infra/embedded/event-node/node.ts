import { startServer } from './grpc/server.ts';
import { lockDataDir } from './data-lock.ts';
import { openEventStore } from './streams/event-store.ts';

/** Where the node tells what it does: a pino logger fits. */
export type NodeLogger = {
  info: (fields: object, message: string) => void;
  warn: (fields: object, message: string) => void;
  error: (fields: object, message: string) => void;
};

export type NodeOptions = {
  dataDir: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** The most bytes one append may have. */
  maxAppendBytes: number;
  /** Refuse to grow the log beyond so many bytes. */
  maxLogBytes?: number | undefined;
  logger: NodeLogger;
  /** The storage broke: the process should end and be started again. */
  onFault: (error: Error) => void;
};

export type EventNode = { port: number; close: () => Promise<void> };

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
    const server = await startServer(store, options);
    logger.info({ position, port: server.port, ms: Math.round(performance.now() - started) }, 'event node ready');
    return {
      port: server.port,
      close: async () => {
        await server.close();
        await store.close();
        lock.release(true);
        logger.info({ position: store.log.stored() }, 'event node stopped');
      },
    };
  } catch (error) {
    lock.release(false);
    throw error;
  }
};
