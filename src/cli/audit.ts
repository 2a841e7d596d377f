import { Command } from 'commander';
import { chainCheck, type ChainReport } from '../finance/chain-check.ts';
import type { EventStore, Position } from '../kernel/event-store.ts';
import { erasureProof, erasureText } from './erasure-proof.ts';
import { CliError, cliConfig, runCli, withEventStore } from './connect.ts';

const PAGE = 5000;

const verifyAll = async (store: EventStore): Promise<ChainReport> => {
  const check = chainCheck();
  let from: Position | undefined;
  for (;;) {
    const page = await store.readAll(from === undefined ? { maxCount: PAGE } : { from, maxCount: PAGE });
    for (const event of page) check.take(event);
    from = page.at(-1)?.position;
    if (page.length < PAGE) return check.report();
  }
};

const print = (report: ChainReport): void => {
  for (const { stream, revision, position, what } of report.faults) {
    console.log(`${stream}@${revision} (position ${position}): ${what}`);
  }
  console.log(`${report.events} events in ${report.streams} streams, through position ${report.through ?? '-'}`);
  console.log(`digest ${report.digest}`);
  console.log(
    report.faults.length === 0 ? 'Every event is in its place and unaltered.' : `${report.faults.length} faults.`,
  );
};

const program = new Command('audit').description('Proves that the log was not altered.');

program
  .command('verify')
  .description('Re-computes every hash of every stream')
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const report = await withEventStore(cliConfig(), verifyAll);
    if (json === true) console.log(JSON.stringify(report));
    else print(report);
    if (report.faults.length > 0) throw new CliError(1, 'the log does not verify');
  });

program
  .command('erased')
  .description('Shows what the log says of the erasure of a user, with its certificate')
  .requiredOption('--user <id>', 'the user')
  .option('--json', 'print JSON')
  .action(async ({ user, json }: { user: string; json?: boolean }) => {
    const proof = await withEventStore(cliConfig(), (store) => erasureProof(store, user.toLowerCase()));
    console.log(json === true ? JSON.stringify(proof) : erasureText(proof));
    if (proof.certificate === null || !proof.removed || proof.faults.length > 0) {
      throw new CliError(1, 'this user is not erased');
    }
  });

await runCli(program);
