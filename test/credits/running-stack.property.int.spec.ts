import { expect } from 'chai';
import fc from 'fast-check';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { usageProjection } from '../../projections/usage/usage.projection.ts';
import { disagreements } from '../../queries/finance/reconciliation.query.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { chainCheck } from '../../src/finance/chain-check.ts';
import { replayedBooks } from '../../src/finance/replayed-books.ts';
import type { StoredEvent } from '../../src/kernel/event-store.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { accountCommands } from '../billing/account-runs.ts';
import { chance } from '../support/chance.ts';
import { checked } from './account-invariants.ts';
import { startAccounts, type RunningAccounts } from './running-accounts.ts';

/** For longer runs: STACK_ACCOUNTS=200 STACK_SEED=7. The log tells the seed. */
const ACCOUNTS = Number(process.env['STACK_ACCOUNTS'] ?? 10);
const SEED = Number(process.env['STACK_SEED'] ?? Date.now() % 1_000_000);
const INSTANCES = 3;
/** Commands of one user that are under way together. */
const TOGETHER = 4;

const userOf = (index: number): string => uuidOf(`stack user ${index}`);

/** The events of each append of a stream, in their order: one command's stand together. */
const appendsOf = (events: readonly StoredEvent[]): readonly (readonly CreditAccountEvent[])[] => {
  const appends: CreditAccountEvent[][] = [];
  let last: string | undefined;
  for (const { type, data, metadata } of events) {
    const key = `${metadata.idempotencyKey}|${metadata.$causationId}`;
    if (key !== last) appends.push([]);
    last = key;
    appends.at(-1)?.push({ type, data } as CreditAccountEvent);
  }
  return appends;
};

describe('accounts on three instances that die, over a real log and a real database', function () {
  this.timeout(600_000);
  const random = chance(SEED);
  let running: RunningAccounts;
  let calm = false;
  let appends = 0;

  before(async () => {
    console.log(`      seed ${SEED}, ${ACCOUNTS} accounts`);
    const projections = [balanceProjection, ledgerProjection, usageProjection, journalProjection];
    running = await startAccounts(INSTANCES, projections, () => {
      appends += 1;
      return !calm && appends % 17 === 0;
    });
  });
  after(() => running.stop());

  /** Sends one command, now and then twice at once to two instances, as a caller does who lost the answer. */
  const send = async (user: string, command: CreditCommand, n: number): Promise<void> => {
    const id = uuidOf(`${user}|${n}`);
    const cause = {
      at: command.data.at,
      correlationId: id,
      causationId: id,
      actor: { kind: 'user', id: user },
    } as const;
    const first = random(INSTANCES);
    const twice = random(8) === 0;
    if (random(40) === 0) running.replace(random(INSTANCES));
    const sent: Promise<unknown>[] = [running.send(user, command, cause, first)];
    if (twice) sent.push(running.send(user, command, cause, first + 1));
    await Promise.all(sent);
  };

  const play = async (user: string, [open, ...commands]: readonly CreditCommand[]): Promise<void> => {
    if (open !== undefined) await send(user, open, 0);
    for (let from = 0; from < commands.length; from += TOGETHER) {
      const group = commands.slice(from, from + TOGETHER);
      await Promise.all(group.map((command, n) => send(user, command, 1 + from + n)));
    }
  };

  it('take every command, whoever dies', async () => {
    const runs = fc.sample(accountCommands, { seed: SEED, numRuns: ACCOUNTS });
    const playing = Promise.all(runs.map((commands, index) => play(userOf(index), commands)));
    await running.crashNode();
    await playing;
    calm = true;
    expect(running.lost(), 'answers were lost').to.be.greaterThan(0);
  });

  it('keep every invariant after every event', async () => {
    for (let index = 0; index < ACCOUNTS; index += 1) {
      const events = await running.store().read(`creditAccount-${userOf(index)}`);
      expect(events.length).to.be.greaterThan(0);
      appendsOf(events).reduce((state, said) => checked(state, said), decider.initial);
    }
  });

  it('have books that balance after every event, and a chain without a gap', async () => {
    const books = await replayedBooks(running.store(), { kind: 'now', at: new Date() });
    expect(books).to.deep.include({ balanced: true, unbalanced: [], discrepancies: [], accountsReplayed: ACCOUNTS });
    const chain = chainCheck();
    for (const event of await running.store().readAll({ maxCount: 1_000_000 })) chain.take(event);
    expect(chain.report().faults).to.deep.equal([]);
  });

  it('have read models that agree with each other, row by row', async () => {
    await running.caughtUp();
    const pools = running.pools();
    expect(await queryRunner(pools).asSystem(disagreements(10))).to.deep.equal([]);
    const { rows } = await pools.projector.query(
      'select stream, revision from rm.journal group by stream, revision having sum(dr_micro) <> sum(cr_micro)',
    );
    expect(rows, 'entries that do not balance').to.deep.equal([]);
  });
});
