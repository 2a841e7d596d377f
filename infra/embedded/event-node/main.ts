import { Command } from 'commander';
import { pino } from 'pino';
import { DirectoryInUse } from './data-lock.ts';
import { startNode } from './node.ts';

const mebibyte = 1024 * 1024;

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${text} is not a whole number`);
  return value;
};

type Options = {
  dataDir: string;
  host: string;
  port: number;
  maxAppendMib: number;
  maxLogMib?: number;
  logLevel: string;
};

const serve = async (options: Options): Promise<void> => {
  const logger = pino({ name: 'event-node', level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  const node = await startNode({
    dataDir: options.dataDir,
    host: options.host,
    port: options.port,
    maxAppendBytes: options.maxAppendMib * mebibyte,
    maxLogBytes: options.maxLogMib === undefined ? undefined : options.maxLogMib * mebibyte,
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
  if (process.send) process.send({ type: 'ready', port: node.port });
  else console.log(`esdb://${options.host}:${node.port}?tls=false`);
};

const program = new Command('event-node')
  .description('An event store that speaks the EventStoreDB protocol and keeps its events in one directory.')
  .requiredOption('--data-dir <dir>', 'where the events are kept')
  .requiredOption('--port <n>', 'port to listen on, 0 for a free one', wholeNumber)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--max-append-mib <n>', 'largest append, in MiB', wholeNumber, 1)
  .option('--max-log-mib <n>', 'refuse to grow the log beyond this, in MiB', wholeNumber)
  .option('--log-level <level>', 'what to tell on stderr', 'info')
  .exitOverride()
  .action(serve);

try {
  await program.parseAsync();
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  if (code === 'commander.helpDisplayed') process.exit(0);
  if (!code?.startsWith('commander.')) console.error(message);
  process.exit(error instanceof DirectoryInUse || code !== undefined ? 2 : 1);
}
