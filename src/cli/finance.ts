import { Command } from 'commander';
import { replayedBalance, type AsOf, type ReplayedBalance } from '../finance/replayed-balance.ts';
import { isUuid } from '../kernel/ids.ts';
import { CliError, cliConfig, runCli, withEventStore } from './connect.ts';

/** A day, or a moment with its zone. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

const parseAsOf = (text: string | undefined): AsOf => {
  if (text === undefined) return { kind: 'now', at: new Date() };
  if (/^\d+$/.test(text)) return { kind: 'position', commit: BigInt(text) };
  const at = new Date(text);
  if (!ISO_TIME.test(text) || Number.isNaN(at.getTime())) {
    throw new CliError(
      2,
      `--as-of takes a time such as 2026-01-31T23:59:59Z or a position such as 4711, not "${text}"`,
    );
  }
  return { kind: 'time', at };
};

const table = (balance: ReplayedBalance): string =>
  Object.entries(balance)
    .map(([name, value]) => `${name.padEnd(16)}${value === null ? '-' : String(value)}`)
    .join('\n');

const program = new Command('finance').description('Answers questions about money from the events alone.');

program
  .command('balance')
  .description('A balance now or at any moment, replayed from the events of the account')
  .requiredOption('--user <id>', 'the id of the user')
  .option('--as-of <time or position>', 'count only events up to this time (ISO 8601) or log position')
  .option('--json', 'print JSON')
  .action(async ({ user, asOf, json }: { user: string; asOf?: string; json?: boolean }) => {
    if (!isUuid(user)) throw new CliError(2, `--user takes the id of a user (a UUID), not "${user}"`);
    const until = parseAsOf(asOf);
    const balance = await withEventStore(cliConfig(), (store) => replayedBalance(store, user.toLowerCase(), until));
    console.log(json === true ? JSON.stringify(balance) : table(balance));
    if (balance.events === 0) throw new CliError(1, 'this user has no account at that point');
  });

await runCli(program);
