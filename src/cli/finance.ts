import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Command } from 'commander';
import { reconciliationAggregate, reconciliationId } from '../../commands/reconciliation/index.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { databasePools } from '../../infra/postgres/pools.ts';
import { readStates } from '../../infra/postgres/projection-state.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { JOURNAL_HEAD, journalLines } from '../finance/journal-csv.ts';
import { openCases } from '../finance/open-cases.ts';
import { provingLog } from '../finance/proving-log.ts';
import { reconciled } from '../finance/reconciled.ts';
import { replayedBalance } from '../finance/replayed-balance.ts';
import { replayedBooks } from '../finance/replayed-books.ts';
import { statementOf } from '../finance/statement.ts';
import { entriesOf, trialBalance } from '../finance/trial-balance.ts';
import { commandHandler } from '../kernel/command-handler.ts';
import type { EventStore } from '../kernel/event-store.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { QueryRunner } from '../kernel/query.ts';
import { CliError, cliConfig, partsOf, runCli, withEventStore } from './connect.ts';
import { asOfInput, dayInput, mustBeReached, periodInput, positionInput, userInput } from './finance-input.ts';
import { balanceText, casesText, replayText, runText, statementText, trialText } from './finance-text.ts';

/** Between looks at read models that do not agree. */
const LOOK_AGAIN_MS = 500;

const print = <T>(json: boolean | undefined, value: T, text: (value: T) => string): void => {
  console.log(json === true ? JSON.stringify(value) : text(value));
};

const AS_OF = 'count only events up to the end of this day (UTC), up to this time (ISO 8601) or log position';

const program = new Command('finance').description('Answers questions about money from the events alone.');

program
  .command('balance')
  .description('A balance now or at any moment, replayed from the events of the account')
  .requiredOption('--user <id>', 'the id of the user')
  .option('--as-of <time or position>', AS_OF)
  .option('--json', 'print JSON')
  .action(async ({ user, asOf, json }: { user: string; asOf?: string; json?: boolean }) => {
    const userId = userInput(user);
    const until = asOfInput(asOf);
    const balance = await withEventStore(cliConfig(), async (store) => {
      await mustBeReached(store, until);
      return replayedBalance(store, userId, until);
    });
    if (balance.events === 0) throw new CliError(1, `the user ${userId} has no account at that point`);
    print(json, balance, balanceText);
  });

program
  .command('trial-balance')
  .description('What stands in every account of the books, and that debits equal credits')
  .option('--as-of <time or position>', AS_OF)
  .option('--period <month>', 'only what is booked in this month, as 2026-01')
  .option('--json', 'print JSON')
  .action(async ({ asOf, period, json }: { asOf?: string; period?: string; json?: boolean }) => {
    const [until, month] = [asOfInput(asOf), periodInput(period)];
    const trial = await withEventStore(cliConfig(), async (store) => {
      await mustBeReached(store, until);
      const sums = trialBalance(month);
      for await (const booked of entriesOf(store, until)) sums.take(booked);
      return sums.report();
    });
    print(json, trial, trialText);
    if (!trial.balanced) throw new CliError(1, 'the books do not balance');
  });

program
  .command('open-cases')
  .description(
    'Purchases that are paid and not credited, refunds on their way and disputes: what 2450, 2300 and 2350 hold',
  )
  .option('--as-of <time or position>', AS_OF)
  .option('--json', 'print JSON')
  .action(async ({ asOf, json }: { asOf?: string; json?: boolean }) => {
    const until = asOfInput(asOf);
    const cases = await withEventStore(cliConfig(), async (store) => {
      await mustBeReached(store, until);
      const found = openCases();
      for await (const booked of entriesOf(store, until)) found.take(booked);
      return found.report();
    });
    print(json, cases, casesText);
  });

program
  .command('replay')
  .description('Folds every account from zero and checks the events, the closings and the books against it')
  .option('--to-position <position>', 'count only events up to this log position')
  .option('--period <month>', 'sum up only what is booked in this month, as 2026-01')
  .option('--json', 'print JSON')
  .action(async ({ toPosition, period, json }: { toPosition?: string; period?: string; json?: boolean }) => {
    const [until, month] = [positionInput(toPosition), periodInput(period)];
    const books = await withEventStore(cliConfig(), async (store) => {
      await mustBeReached(store, until);
      return replayedBooks(store, until, month);
    });
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
    const [userId, month] = [userInput(user), periodInput(period)];
    const statement = await withEventStore(cliConfig(), (store) => statementOf(store, userId, month));
    if (statement === undefined) throw new CliError(1, `the user ${userId} has no account`);
    print(json, statement, statementText);
  });

program
  .command('export')
  .description('Every line of the journal as CSV, amounts in micro-USD')
  .option('--as-of <time or position>', AS_OF)
  .option('--period <month>', 'only what is booked in this month, as 2026-01')
  .action(async ({ asOf, period }: { asOf?: string; period?: string }) => {
    const [until, month] = [asOfInput(asOf), periodInput(period)];
    await withEventStore(cliConfig(), async (store) => {
      await mustBeReached(store, until);
      console.log(JOURNAL_HEAD);
      for await (const booked of entriesOf(store, until)) {
        if (month !== undefined && booked.entry.bookedIn !== month) continue;
        for (const line of journalLines(booked)) console.log(line);
      }
    });
  });

type ReadModels = Readonly<{ queries: QueryRunner; behind: (commit: bigint) => Promise<readonly string[]> }>;

/** Those that `reconcile` compares. */
const COMPARED: readonly string[] = [balanceProjection, ledgerProjection, journalProjection].map(({ name }) => name);

/** Runs with the read models of the installation. */
const withReadModels = async <T>(work: (models: ReadModels) => Promise<T>): Promise<T> => {
  const url = partsOf(cliConfig()).databaseUrl;
  const pools = databasePools({ url, logger: silentLogger, applicationName: 'plantocode tool' });
  const behind = async (commit: bigint): Promise<readonly string[]> => {
    const states = await readStates(pools.projector);
    const reached = new Map(states.map(({ name, position }) => [name, position?.commit ?? -1n]));
    return COMPARED.filter((name) => (reached.get(name) ?? -1n) < commit);
  };
  try {
    return await work({ queries: queryRunner(pools), behind });
  } finally {
    await pools.close();
  }
};
const lookAgain = (): Promise<void> => delay(LOOK_AGAIN_MS);

program
  .command('reconcile')
  .description('Where balances, lots, holds, ledger and journal of the read models do not agree')
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const found = await withReadModels(({ queries }) => reconciled({ queries, pause: lookAgain }));
    print(json, found, (all) =>
      all.length === 0
        ? 'The read models agree.'
        : all.map(({ userId, what, one, other }) => `${userId}  ${what}: ${one} and ${other}`).join('\n'),
    );
    if (found.length > 0) throw new CliError(1, 'the read models do not agree');
  });

const reconciliationsOver = (store: EventStore) =>
  commandHandler(reconciliationAggregate, {
    store,
    logger: silentLogger,
    pause: (milliseconds) => delay(milliseconds),
  });

program
  .command('prove')
  .description('Proves the log, the accounts, the books and the read models, and writes down what came of it')
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const clock = (): Date => new Date();
    const run = await withReadModels((models) =>
      withEventStore(cliConfig(), (store) => {
        const reconciliations = reconciliationsOver(store);
        return provingLog({ store, ...models, reconciliations, pause: lookAgain, newId: randomUUID, clock });
      }),
    );
    print(json, run, runText);
    if (run.proven?.issues !== 0) throw new CliError(1, 'not everything is as it should be');
  });

program
  .command('proven')
  .description('What the proofs of a day came to')
  .option('--day <day>', 'a day in UTC, as 2026-01-31; today when absent')
  .option('--json', 'print JSON')
  .action(async ({ day, json }: { day?: string; json?: boolean }) => {
    const at = dayInput(day);
    const { runs } = await withEventStore(cliConfig(), (store) =>
      reconciliationsOver(store).state(reconciliationId(at)),
    );
    print(json, runs, (all) => all.map(runText).join('\n\n'));
    const last = runs.findLast(({ proven }) => proven !== null);
    if (last === undefined) throw new CliError(1, 'no proof of that day has come to its end');
    if (last.proven?.issues !== 0) throw new CliError(1, 'not everything was as it should be');
  });

await runCli(program);
