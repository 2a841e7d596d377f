import { CommanderError, type Command } from 'commander';
import { connectEventStore } from '../../infra/eventstore/event-store.ts';
import { readRuntime } from '../../infra/embedded/data-dir/runtime-file.ts';
import { ConfigError, parseConfig, type Config } from '../config.ts';
import type { EventStore } from '../kernel/event-store.ts';

/** The end of a command-line tool: 1 the thing asked for is not so, 2 wrong usage or unreachable parts. */
export class CliError extends Error {
  readonly exitCode: 1 | 2;
  constructor(exitCode: 1 | 2, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Where the parts of the installation are: as configured, else as the running server noted. */
export const partsOf = (config: Config): Readonly<{ eventStoreUrl: string; databaseUrl: string }> => {
  const runtime = readRuntime(config.DATA_DIR);
  const eventStoreUrl = config.EVENTSTORE_URL ?? runtime?.eventStoreUrl;
  const databaseUrl = config.DATABASE_URL ?? runtime?.databaseUrl;
  if (eventStoreUrl === undefined || databaseUrl === undefined) {
    throw new CliError(
      2,
      `No server has noted its parts in ${config.DATA_DIR}. Start one with "npm start", or set EVENTSTORE_URL and DATABASE_URL.`,
    );
  }
  return { eventStoreUrl, databaseUrl };
};

/** Runs with a connected event store and closes it. Throws CliError when the store does not answer. */
export const withEventStore = async <T>(config: Config, work: (store: EventStore) => Promise<T>): Promise<T> => {
  const { eventStoreUrl } = partsOf(config);
  const store = connectEventStore(eventStoreUrl);
  try {
    await store.ping();
  } catch {
    await store.close();
    throw new CliError(2, 'The event store does not answer. Is the server running?');
  }
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};

/** The environment as configuration; a faulty one ends the tool with 2. */
export const cliConfig = (): Config => {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(2, error.message);
    throw error;
  }
};

/** Runs a tool to its end: errors become one line on stderr and the exit code. */
export const runCli = async (program: Command): Promise<void> => {
  const strict = (command: Command): void => {
    command.exitOverride();
    command.commands.forEach(strict);
  };
  strict(program);
  // A connection that breaks rejects promises that the clients hand to nobody; the call that waited for it fails by itself.
  process.on('unhandledRejection', () => undefined);
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has already said what is wrong; help and version are no faults.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof CliError ? error.exitCode : 2;
  }
};
