import { openEventLog, type EventLog } from '../log/event-log.ts';
import { openStreamIndex, type StreamIndex } from '../log/stream-index.ts';
import { createLinkResolver, type LinkResolver } from './links.ts';
import { createStreamHeads } from './stream-heads.ts';
import { hashStreamName, type StreamHash } from './stream-key.ts';
import { createStreamReader, type StreamReader } from './stream-reader.ts';
import { createStreamWriter, type StreamWriter } from './stream-writer.ts';

/** Heads kept in memory. A head takes about half a kilobyte. */
const cachedHeads = 10_000;

export type EventStore = {
  log: EventLog;
  index: StreamIndex;
  writer: StreamWriter;
  reader: StreamReader;
  resolveLink: LinkResolver;
  close: () => Promise<void>;
};

export type EventStoreOptions = {
  dataDir: string;
  /** Refuse to grow the log beyond so many bytes. */
  maxBytes?: number | undefined;
  /** Told while a start has much to index. */
  onProgress: (position: number) => void;
  /** The storage broke: nothing more can be written, the process should end. */
  onFault: (error: Error) => void;
  hashOf?: StreamHash;
  now?: () => number;
};

/** Opens the event store of a data directory, which the caller must own (see data-lock.ts). */
export const openEventStore = async (options: EventStoreOptions): Promise<EventStore> => {
  const now = options.now ?? Date.now;
  const log = await openEventLog(options.dataDir, { maxBytes: options.maxBytes, onFault: options.onFault });
  const index = await openStreamIndex(options.dataDir, log, options);
  const heads = createStreamHeads(log, index, { capacity: cachedHeads, hashOf: options.hashOf ?? hashStreamName });
  return {
    log,
    index,
    writer: createStreamWriter(log, index, heads, now),
    reader: createStreamReader(log, index, heads, now),
    resolveLink: createLinkResolver(log, index, heads),
    close: async () => {
      await log.close();
      await index.close();
    },
  };
};
