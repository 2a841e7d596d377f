import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { pino } from 'pino';
import { readCredentials } from './grpc/credentials.ts';
import { startNode, type NodeOptions } from './node.ts';

const mebibyte = 1024 * 1024;

/** The options of the program as commander gives them. */
export type ServeOptions = {
  dataDir: string;
  host: string;
  port: number;
  httpPort?: number;
  maxAppendMib: number;
  maxLogMib?: number;
  credentialsFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  logLevel: string;
};

const tlsOf = ({ tlsCert, tlsKey }: ServeOptions): NodeOptions['tls'] => {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw new Error('TLS needs both a certificate and its key');
  return { certificate: readFileSync(tlsCert), key: readFileSync(tlsKey) };
};

// What a node keeps is small; garbage that is let grow to several times that would be most of its memory.
const collectEarly = '--heap-growing-percent=30';

/** Runs a node until the process is told to stop, or its parent goes. */
export const serve = async (options: ServeOptions): Promise<void> => {
  setFlagsFromString(collectEarly);
  const logger = pino({ name: 'event-node', level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  const { credentialsFile, maxLogMib } = options;
  const tls = tlsOf(options);
  const node = await startNode({
    dataDir: options.dataDir,
    host: options.host,
    port: options.port,
    httpPort: options.httpPort,
    maxAppendBytes: options.maxAppendMib * mebibyte,
    maxLogBytes: maxLogMib === undefined ? undefined : maxLogMib * mebibyte,
    credentials: credentialsFile === undefined ? [] : readCredentials(readFileSync(credentialsFile, 'utf8')),
    tls,
    logger,
    onFault: (error) => {
      // What the disk has is known again only after a fresh start.
      logger.fatal({ err: error }, 'the storage failed');
      process.exit(1);
    },
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    node.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'the node did not stop in order');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The parent that started us is gone: nobody will stop us later.
  process.on('disconnect', stop);
  if (process.send) process.send({ type: 'ready', port: node.port, httpPort: node.httpPort });
  else console.log(`esdb://${options.host}:${node.port}?tls=${tls === undefined ? 'false' : 'true'}`);
};
