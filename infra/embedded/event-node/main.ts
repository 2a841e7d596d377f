import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { Command } from 'commander';
import { DirectoryInUse } from './data-lock.ts';
import { backup, restore } from './ops/backup.ts';
import { OperationFailed } from './ops/operation.ts';
import { scavenge } from './ops/scavenge.ts';
import { exportEvents, importEvents } from './ops/transfer.ts';
import { verify, type Verification } from './ops/verify.ts';
import { serve } from './serve.ts';

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new OperationFailed(`${text} is not a whole number`);
  return value;
};

const tell = (result: object): void => console.log(JSON.stringify(result));
const tellVerification = (found: Verification): void => {
  tell(found);
  if (found.faults.length > 0) process.exitCode = 1;
};

const program = new Command('event-node')
  .description('An event store that speaks the EventStoreDB protocol and keeps its events in one directory.')
  .addHelpText(
    'after',
    '\nTo start a node: event-node --data-dir <dir> --port <n>. Its options: event-node serve --help.',
  )
  .exitOverride();

/** A command of the program; each works on one data directory. */
const command = (name: string, description: string): Command =>
  program
    .command(name, { isDefault: name === 'serve' })
    .description(description)
    .requiredOption('--data-dir <dir>', 'where the events are kept')
    .exitOverride();

command('serve', 'start a node (the default)')
  .requiredOption('--port <n>', 'port to listen on, 0 for a free one', wholeNumber)
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--http-port <n>', 'port for /health/live, /health/ready and /metrics, 0 for a free one', wholeNumber)
  .option('--max-append-mib <n>', 'largest append, in MiB', wholeNumber, 1)
  .option('--max-log-mib <n>', 'refuse to grow the log beyond this, in MiB', wholeNumber)
  .option('--credentials-file <file>', 'who may use the streams: one user:password a line')
  .option('--tls-cert <file>', 'certificate chain, PEM')
  .option('--tls-key <file>', 'private key, PEM')
  .option('--log-level <level>', 'what to tell on stderr', 'info')
  .action(serve);

command('backup', 'copy the log to a new directory, also while a node runs, and verify the copy')
  .requiredOption('--to <dir>', 'where to put it')
  .action(({ dataDir, to }: { dataDir: string; to: string }) => tellVerification(backup(dataDir, to)));

command('restore', 'make a data directory of a backup')
  .requiredOption('--from <dir>', 'the backup')
  .action(({ dataDir, from }: { dataDir: string; from: string }) => tellVerification(restore(from, dataDir)));

command('verify', 'read every event again and check it, also while a node runs').action(
  ({ dataDir }: { dataDir: string }) => tellVerification(verify(dataDir)),
);

command('export', 'write every event as a line of JSON, also while a node runs')
  .option('--to <file>', 'a file instead of stdout')
  .action(async ({ dataDir, to }: { dataDir: string; to?: string }) => {
    const output = to === undefined ? process.stdout : createWriteStream(to, { mode: 0o600 });
    const lines = await exportEvents(dataDir, output);
    if (to === undefined) return;
    output.end();
    await finished(output);
    tell({ lines });
  });

command('import', 'fill a new data directory from an export')
  .option('--from <file>', 'a file instead of stdin')
  .action(async ({ dataDir, from }: { dataDir: string; from?: string }) => {
    const input = from === undefined ? process.stdin : createReadStream(from);
    tell({ lines: await importEvents(dataDir, createInterface({ input, crlfDelay: Infinity })) });
  });

command('scavenge', 'take away for good what is truncated, expired or deleted; no node may run').action(
  async ({ dataDir }: { dataDir: string }) => tell(await scavenge(dataDir, Date.now())),
);

try {
  await program.parseAsync();
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  if (code === 'commander.helpDisplayed' || code === 'commander.help') process.exit(0);
  if (!code?.startsWith('commander.')) console.error(message);
  const wrongUse = error instanceof DirectoryInUse || error instanceof OperationFailed || code !== undefined;
  process.exit(wrongUse ? 2 : 1);
}
