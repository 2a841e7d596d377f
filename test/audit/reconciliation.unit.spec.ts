import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { reconciliationAggregate, reconciliationId } from '../../commands/reconciliation/index.ts';
import { reconciliationDecider } from '../../commands/reconciliation/reconciliation.decider.ts';
import { provingLog } from '../../src/finance/proving-log.ts';
import type { ReconciliationEvent } from '../../src/events/reconciliation/reconciliation.events.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { isStoreUnavailable, StoreUnavailableError, type EventStore } from '../../src/kernel/event-store.ts';
import { given } from '../support/given.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { givenLog, type GivenLog } from './given-log.ts';

/** When the log of these tests is written too. */
const AT = '2026-11-23T10:00:00.000Z';
const run = 'run-1';
const started = { type: 'ReconciliationStarted', data: { run, asOfPos: '17', at: AT } } as const;
const proven = {
  asOfPos: '17',
  events: 17,
  seals: 1,
  sealedThrough: '16',
  keys: ['a key'],
  accounts: 2,
  issues: 1,
  trialBalanceHash: 'a'.repeat(64),
  digest: 'b'.repeat(64),
};
const found = { kind: 'log', subject: 'user-ada@3', what: 'was altered', expected: null, actual: null } as const;
const start = { type: 'StartReconciliation', key: 'start:run-1', data: started.data } as const;
const complete = {
  type: 'CompleteReconciliation',
  key: 'complete:run-1',
  data: { run, found: [found], proven, at: AT },
} as const;
const foundEvent = { type: 'DiscrepancyFound', data: { run, at: AT, ...found } } as const;
const completed = { type: 'ReconciliationCompleted', data: { run, at: AT, ...proven } } as const;

describe('a reconciliation', () => {
  const after = (...history: readonly ReconciliationEvent[]) => given(reconciliationDecider, ...history);

  it('begins once', () => {
    after().when(start).thenEvents(started);
    after(started).when(start).thenNothing();
  });

  it('is completed once, with what was found', () => {
    after(started).when(complete).thenEvents(foundEvent, completed);
    after(started, foundEvent, completed).when(complete).thenNothing();
  });

  it('is not completed before it has begun', () => {
    after().when(complete).thenRefused('not_found');
  });

  it('keeps the proofs of a day apart', () => {
    const other = { ...started, data: { ...started.data, run: 'run-2' } };
    const state = [started, other, foundEvent, completed].reduce(
      (before, event) => reconciliationDecider.evolve(before, event),
      reconciliationDecider.initial,
    );
    expect(state.runs.map(({ run: id, proven: done, found: all }) => [id, done?.issues, all.length])).to.deep.equal([
      ['run-1', 1, 1],
      ['run-2', undefined, 0],
    ]);
  });
});

describe('proving the log', () => {
  const proving = (
    log: GivenLog,
    store: EventStore,
    disagreements: readonly object[] = [],
    behind: (looks: number) => readonly string[] = () => [],
    hoursLater = 0,
  ) => {
    let looks = 0;
    const { logger } = memoryLogger();
    const handler = commandHandler(reconciliationAggregate, {
      store: log.store,
      logger,
      pause: () => Promise.resolve(),
    });
    const queries = { asSystem: () => Promise.resolve(disagreements as never) };
    const clock = (): Date => new Date(Date.parse(AT) + hoursLater * 3_600_000);
    const prove = () =>
      provingLog({
        store,
        queries,
        behind: () => Promise.resolve(behind((looks += 1))),
        reconciliations: handler,
        pause: () => Promise.resolve(),
        newId: randomUUID,
        clock,
      });
    return { prove, day: async () => (await handler.state(reconciliationId(new Date(AT)))).runs };
  };

  it('says of a log as it was written that all is well, and how far it looked', async () => {
    const log = givenLog();
    await log.writeMany(20);
    log.passes(60_000);
    await log.seal();
    const { prove, day } = proving(log, log.store);
    const told = await prove();
    expect(told.proven).to.deep.include({ asOfPos: '21', events: 21, seals: 1, accounts: 0, issues: 0 });
    expect(await day()).to.deep.equal([told]);
    const again = await prove();
    expect(again.proven, 'the proof before is part of the log').to.deep.include({ events: 23, issues: 0 });
    expect(await day()).to.deep.equal([told, again]);
  });

  it('tells what is wrong, of very much the first hundred', async () => {
    const log = givenLog();
    await log.writeMany(150);
    const altered: EventStore = {
      ...log.store,
      readAll: async (options) =>
        (await log.store.readAll(options)).map((event) =>
          event.stream === 'user-ada' ? { ...event, data: { n: -1 } } : event,
        ),
    };
    const wrong = [{ userId: 'ada', what: 'balance and lots', one: '5', other: '7' }];
    const { prove } = proving(log, altered, wrong);
    const { proven: done, found: told } = await prove();
    expect([done?.issues, told.length]).to.deep.equal([151, 100]);
    expect(told[0]).to.deep.equal({ ...found, subject: 'user-ada@0', what: told[0]?.what });
    expect(told[0]?.what).to.contain('was altered');
  });

  it('tells of read models that do not agree', async () => {
    const log = givenLog();
    const wrong = [{ userId: 'ada', what: 'balance and lots', one: '5', other: '7' }];
    const { found: told } = await proving(log, log.store, wrong).prove();
    expect(told).to.deep.equal([
      { kind: 'read_models', subject: 'ada', what: 'balance and lots', expected: '5', actual: '7' },
    ]);
  });

  it('waits for read models that are behind, and does not compare them when they stay so', async () => {
    const log = givenLog();
    const late = proving(log, log.store, [], (looks) => (looks < 5 ? ['ledger'] : []));
    expect((await late.prove()).proven).to.include({ issues: 0 });
    const wrong = [{ userId: 'ada', what: 'balance and lots', one: '5', other: '7' }];
    const { prove, day } = proving(log, log.store, wrong, () => ['ledger', 'journal']);
    const error = await prove().catch((thrown: unknown) => thrown);
    expect(String(error)).to.contain('these read models are behind: ledger, journal');
    expect((await day()).map(({ proven: done }) => done?.issues)).to.deep.equal([0, undefined]);
  });

  it('tells the rest when an event is no event any more', async () => {
    const log = givenLog();
    await log.writeMany(3);
    await log.write('creditAccount-ada', { at: AT });
    const { found: told, proven: done } = await proving(log, log.store).prove();
    expect(told.map(({ kind, what }) => [kind, what.split(':')[0]])).to.deep.equal([['books', 'cannot be checked']]);
    expect(done).to.include({ events: 4, trialBalanceHash: '' });
    const half: EventStore = {
      ...log.store,
      readAll: async (options) =>
        (await log.store.readAll(options)).map((event) => ({ ...event, data: { text: '\ud800' } })),
    };
    const { found: more } = await proving(log, half).prove();
    expect(more.slice(0, 3).map(({ subject, what }) => [subject, what.split(':')[0]])).to.deep.equal(
      [0, 1, 2].map((revision) => [`user-ada@${revision}`, 'was altered']),
    );
  });

  it('misses seals that are not there, once the server had an hour for them', async () => {
    const log = givenLog();
    await log.writeMany(3);
    const later = (hours: number) => proving(log, log.store, [], undefined, hours).prove();
    expect((await later(0.9)).found).to.deep.equal([]);
    expect((await later(1.1)).found.map(({ subject }) => subject)).to.deep.equal(['auditAnchor-log@0']);
  });

  it('leaves a proof that was cut short as one that has begun', async () => {
    const log = givenLog();
    await log.writeMany(1);
    let reads = 0;
    const broken: EventStore = {
      ...log.store,
      readAll: (options) => {
        reads += 1;
        return reads === 1 ? log.store.readAll(options) : Promise.reject(new StoreUnavailableError('read failed'));
      },
    };
    const { prove, day } = proving(log, broken);
    expect(isStoreUnavailable(await prove().catch((thrown: unknown) => thrown))).to.equal(true);
    expect((await day()).map(({ proven: done }) => done)).to.deep.equal([null]);
  });
});
