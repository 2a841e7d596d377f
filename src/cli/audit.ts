import { Command } from 'commander';
import { inclusionProof, newestSeal, proofFaults } from '../finance/inclusion-proof.ts';
import { mustBeSealedBefore, verifiedLog, type VerifiedLog } from '../finance/verified-log.ts';
import { isDomainError } from '../kernel/errors.ts';
import { keptProof, keptSeal } from './audit-files.ts';
import { CliError, cliConfig, runCli, withEventStore } from './connect.ts';
import { erasureProof, erasureText } from './erasure-proof.ts';

const print = ({ faults, events, streams, through, digest, seals }: VerifiedLog): void => {
  for (const { stream, revision, position, what } of faults) {
    console.log(`${stream}@${revision} (position ${position}): ${what}`);
  }
  console.log(`${events} events in ${streams} streams, through position ${through ?? '-'}`);
  console.log(`digest ${digest}`);
  console.log(
    seals.seals === 0
      ? `no seals yet; ${seals.unsealed} events wait for one`
      : `${seals.seals} seals through position ${seals.sealedThrough}, ${seals.unsealed} events wait for one; signed by ${seals.keys.join(', ')}`,
  );
  console.log(faults.length === 0 ? 'Every event is in its place and unaltered.' : `${faults.length} faults.`);
};

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const program = new Command('audit').description('Proves that the log was not altered.');

program
  .command('verify')
  .description('Re-computes every hash of every stream and checks every seal')
  .option('--key <id>', 'only seals of this key count (may be given again)', collect)
  .option('--seal <file>', 'the log must have this seal, which was kept elsewhere (may be given again)', collect)
  .option('--json', 'print JSON')
  .action(async ({ key = [], seal = [], json }: { key?: string[]; seal?: string[]; json?: boolean }) => {
    const kept = seal.map(keptSeal);
    const report = await withEventStore(cliConfig(), (store) =>
      verifiedLog(store, { trusted: key, kept, sealedBefore: mustBeSealedBefore(new Date()) }),
    );
    if (json === true) console.log(JSON.stringify(report));
    else print(report);
    if (report.faults.length > 0) throw new CliError(1, 'the log does not verify');
  });

program
  .command('seal')
  .description('Prints the newest seal as JSON, to be kept where nobody of the server can write')
  .action(async () => {
    const seal = await withEventStore(cliConfig(), newestSeal);
    if (seal === undefined) throw new CliError(1, 'nothing is sealed yet; it is within a minute after the first event');
    console.log(JSON.stringify(seal));
  });

const revisionOf = (text: string): bigint => {
  if (!/^\d{1,19}$/.test(text)) throw new CliError(2, '--revision takes a number, counted from 0');
  return BigInt(text);
};

program
  .command('prove')
  .description('Prints a proof, as JSON, that one event is in the log as it was sealed')
  .requiredOption('--stream <name>', 'the stream of the event')
  .requiredOption('--revision <number>', 'its number in the stream, counted from 0')
  .action(async ({ stream, revision }: { stream: string; revision: string }) => {
    const number = revisionOf(revision);
    try {
      console.log(JSON.stringify(await withEventStore(cliConfig(), (store) => inclusionProof(store, stream, number))));
    } catch (error) {
      throw isDomainError(error) ? new CliError(error.errorType === 'invalid_argument' ? 2 : 1, error.detail) : error;
    }
  });

program
  .command('check')
  .description('Checks a proof; needs neither server nor log')
  .argument('<file>', 'what `prove` has printed')
  .option('--key <id>', 'the key that must have signed (may be given again)', collect)
  .action((file: string, { key = [] }: { key?: string[] }) => {
    const proof = keptProof(file);
    const faults = proofFaults(proof, key);
    for (const fault of faults) console.log(fault);
    if (faults.length > 0) throw new CliError(1, 'the proof does not hold');
    const { event, seal } = proof;
    console.log(`${event.type} (${event.stream}@${event.revision}, position ${event.position.commit}) is in the log:`);
    console.log(`seal ${seal.number} of ${seal.sealedAt}, ${seal.count} events, signed by ${seal.keyId}`);
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
