import { Command } from 'commander';
import { databasePools } from '../../infra/postgres/pools.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { disagreements } from '../../queries/finance/reconciliation.query.ts';
import { replayedBalance, type AsOf, type ReplayedBalance } from '../finance/replayed-balance.ts';
import { replayedBooks, type ReplayedBooks } from '../finance/replayed-books.ts';
import { statementOf, type Statement } from '../finance/statement.ts';
import { entriesOf, trialBalance, type TrialBalance } from '../finance/trial-balance.ts';
import { isUuid } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import { CliError, cliConfig, partsOf, runCli, withEventStore } from './connect.ts';

/** A day, or a moment with its zone. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;
const MOST_DISAGREEMENTS = 1000;

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

const parsePeriod = (text: string | undefined): string | undefined => {
  if (text === undefined || /^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  throw new CliError(2, `--period takes a month such as 2026-01, not "${text}"`);
};

const parseUser = (text: string): string => {
  if (isUuid(text)) return text.toLowerCase();
  throw new CliError(2, `--user takes the id of a user (a UUID), not "${text}"`);
};

const table = (balance: ReplayedBalance): string =>
  Object.entries(balance)
    .map(([name, value]) => `${name.padEnd(16)}${value === null ? '-' : String(value)}`)
    .join('\n');

const trialText = (trial: TrialBalance): string =>
  [
    ...trial.accounts.map(
      ({ account, name, debitUsd, creditUsd, balanceUsd }) =>
        `${account}  ${name.padEnd(40)}${debitUsd.padStart(18)}${creditUsd.padStart(18)}${balanceUsd.padStart(18)}`,
    ),
    `${''.padEnd(46)}${trial.debitUsd.padStart(18)}${trial.creditUsd.padStart(18)}`,
    `${trial.lines} lines of ${trial.events} events, through position ${trial.through ?? '-'}`,
    `hash ${trial.hash}`,
    ...trial.unbalanced.map((where) => `${where}: the entry does not balance`),
  ].join('\n');

const replayText = (books: ReplayedBooks): string =>
  [
    trialText(books),
    `${books.accountsReplayed} accounts replayed, ${books.discrepancies.length} discrepancies`,
    ...books.discrepancies.map(({ where, what }) => `${where}: ${what}`),
  ].join('\n');

const statementText = ({ openingUsd, closingUsd, lines }: Statement): string =>
  [
    `opening${openingUsd.padStart(60)}`,
    ...lines.map(
      ({ at, event, changeUsd, balanceUsd }) =>
        `${at}  ${event.padEnd(24)}${changeUsd.padStart(16)}${balanceUsd.padStart(16)}`,
    ),
    `closing${closingUsd.padStart(60)}`,
  ].join('\n');

const print = <T>(json: boolean | undefined, value: T, text: (value: T) => string): void => {
  console.log(json === true ? JSON.stringify(value) : text(value));
};

const program = new Command('finance').description('Answers questions about money from the events alone.');

program
  .command('balance')
  .description('A balance now or at any moment, replayed from the events of the account')
  .requiredOption('--user <id>', 'the id of the user')
  .option('--as-of <time or position>', 'count only events up to this time (ISO 8601) or log position')
  .option('--json', 'print JSON')
  .action(async ({ user, asOf, json }: { user: string; asOf?: string; json?: boolean }) => {
    const userId = parseUser(user);
    const until = parseAsOf(asOf);
    const balance = await withEventStore(cliConfig(), (store) => replayedBalance(store, userId, until));
    print(json, balance, table);
    if (balance.events === 0) throw new CliError(1, 'this user has no account at that point');
  });

program
  .command('trial-balance')
  .description('What stands in every account of the books, and that debits equal credits')
  .option('--as-of <time or position>', 'count only events up to this time (ISO 8601) or log position')
  .option('--period <month>', 'only what is booked in this month, as 2026-01')
  .option('--json', 'print JSON')
  .action(async ({ asOf, period, json }: { asOf?: string; period?: string; json?: boolean }) => {
    const [until, month] = [parseAsOf(asOf), parsePeriod(period)];
    const trial = await withEventStore(cliConfig(), async (store) => {
      const sums = trialBalance(month);
      for await (const booked of entriesOf(store, until)) sums.take(booked);
      return sums.report();
    });
    print(json, trial, trialText);
    if (!trial.balanced) throw new CliError(1, 'the books do not balance');
  });

program
  .command('replay')
  .description('Folds every account from zero and checks the events, the closings and the books against it')
  .option('--to-position <position>', 'count only events up to this log position')
  .option('--period <month>', 'sum up only what is booked in this month, as 2026-01')
  .option('--json', 'print JSON')
  .action(async ({ toPosition, period, json }: { toPosition?: string; period?: string; json?: boolean }) => {
    const [until, month] = [parseAsOf(toPosition), parsePeriod(period)];
    const books = await withEventStore(cliConfig(), (store) => replayedBooks(store, until, month));
    print(json, books, replayText);
    if (!books.balanced || books.discrepancies.length > 0) throw new CliError(1, 'the books are not right');
  });

program
  .command('statement')
  .description('What happened to the credit of a user')
  .requiredOption('--user <id>', 'the id of the user')
  .option('--period <month>', 'only what is booked in this month, as 2026-01')
  .option('--json', 'print JSON')
  .action(async ({ user, period, json }: { user: string; period?: string; json?: boolean }) => {
    const [userId, month] = [parseUser(user), parsePeriod(period)];
    const statement = await withEventStore(cliConfig(), (store) => statementOf(store, userId, month));
    if (statement === undefined) throw new CliError(1, 'this user has no account');
    print(json, statement, statementText);
  });

program
  .command('export')
  .description('Every line of the journal as CSV, amounts in micro-USD')
  .option('--as-of <time or position>', 'count only events up to this time (ISO 8601) or log position')
  .option('--period <month>', 'only what is booked in this month, as 2026-01')
  .action(async ({ asOf, period }: { asOf?: string; period?: string }) => {
    const [until, month] = [parseAsOf(asOf), parsePeriod(period)];
    console.log('position,stream,revision,line,at,booked,event,account,debit,credit,user,lot,purchase,request');
    await withEventStore(cliConfig(), async (store) => {
      for await (const { event, entry } of entriesOf(store, until)) {
        if (month !== undefined && entry.bookedIn !== month) continue;
        entry.postings.forEach(({ account, dr, cr, lotId = '', purchaseId = '', requestId = '' }, line) => {
          const { stream, revision, position, type } = event;
          const where = [position.commit, stream, revision, line, entry.at, entry.bookedIn, type];
          console.log([...where, account, dr, cr, entry.userId, lotId, purchaseId, requestId].map(String).join(','));
        });
      }
    });
  });

program
  .command('reconcile')
  .description('Where balances, lots, holds, ledger and journal of the read models do not agree')
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const url = partsOf(cliConfig()).databaseUrl;
    const pools = databasePools({ url, logger: silentLogger, applicationName: 'plantocode tool' });
    try {
      const found = await queryRunner(pools).asSystem(disagreements(MOST_DISAGREEMENTS));
      print(json, found, (all) =>
        all.length === 0
          ? 'The read models agree.'
          : all.map(({ userId, what, one, other }) => `${userId}  ${what}: ${one} and ${other}`).join('\n'),
      );
      if (found.length > 0) throw new CliError(1, 'the read models do not agree');
    } finally {
      await pools.close();
    }
  });

await runCli(program);
