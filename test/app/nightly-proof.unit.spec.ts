import { expect } from 'chai';
import { nightlyProof } from '../../src/app/nightly-proof.ts';
import type { Reconciliation } from '../../commands/reconciliation/reconciliation.decider.ts';
import type { StoredEvent } from '../../src/kernel/event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';

const proven = {
  asOfPos: '4711',
  events: 12,
  seals: 1,
  sealedThrough: '4700',
  keys: ['a key'],
  accounts: 2,
  issues: 0,
  trialBalanceHash: 'a'.repeat(64),
  digest: 'b'.repeat(64),
};

describe('the nightly proof', () => {
  const given = (firstEvent: string | null = '2026-11-01T10:00:00.000Z') => {
    let now = new Date('2026-11-23T01:59:59.000Z');
    const days = new Map<string, Reconciliation['runs']>();
    const calls: string[] = [];
    let code: number | null = 0;
    const { logger, lines } = memoryLogger();
    const stopping = new AbortController();
    const job = nightlyProof({
      reconciliations: { state: (id) => Promise.resolve({ runs: days.get(id) ?? [] }) },
      store: {
        readAll: () => Promise.resolve(firstEvent === null ? [] : [{ created: new Date(firstEvent) } as StoredEvent]),
      },
      prove: () => {
        const startedAt = now.toISOString();
        calls.push(startedAt);
        const id = startedAt.slice(0, 10).replaceAll('-', '');
        const isDone = code === 0 || code === 1;
        const run = {
          run: `run ${calls.length}`,
          asOfPos: '4711',
          startedAt,
          completedAt: isDone ? startedAt : null,
          proven: isDone ? { ...proven, issues: code ?? 0 } : null,
          found: [],
        };
        days.set(id, [...(days.get(id) ?? []), run]);
        return Promise.resolve({ code, said: isDone ? JSON.stringify(run) : '', complained: 'the reason' });
      },
      mayRun: () => true,
      stopping: stopping.signal,
      clock: () => now,
      logger,
    });
    const at = async (time: string): Promise<number> => {
      now = new Date(time);
      await job.run();
      return calls.length;
    };
    const byHand = (startedAt: string): void => {
      const done = { run: 'by hand', asOfPos: '1', startedAt, completedAt: startedAt, proven, found: [] };
      days.set(startedAt.slice(0, 10).replaceAll('-', ''), [done]);
    };
    return { at, byHand, lines, stop: () => stopping.abort(), ends: (next: number | null) => (code = next) };
  };

  it('is made once a day, from two in the morning on', async () => {
    const { at } = given();
    expect(await at('2026-11-23T01:59:59.000Z')).to.equal(0);
    expect(await at('2026-11-23T02:00:00.000Z')).to.equal(1);
    expect(await at('2026-11-23T02:10:00.000Z')).to.equal(1);
    expect(await at('2026-11-23T23:50:00.000Z')).to.equal(1);
    expect(await at('2026-11-24T00:10:00.000Z')).to.equal(1);
    expect(await at('2026-11-24T09:00:00.000Z'), 'the server was away at two').to.equal(2);
  });

  it('is made although somebody has made one after midnight', async () => {
    const { at, byHand } = given();
    byHand('2026-11-23T00:05:00.000Z');
    expect(await at('2026-11-23T02:00:00.000Z')).to.equal(1);
  });

  it('is not made on the first day, nor over an empty log', async () => {
    const young = given('2026-11-23T00:00:01.000Z');
    expect(await young.at('2026-11-23T12:00:00.000Z')).to.equal(0);
    expect(await young.at('2026-11-24T12:00:00.000Z')).to.equal(1);
    expect(await given(null).at('2026-11-23T12:00:00.000Z')).to.equal(0);
  });

  it('is begun anew six hours after one that was cut short, whose reason is told', async () => {
    const { at, ends, lines } = given();
    ends(null);
    expect(await at('2026-11-23T02:00:00.000Z')).to.equal(1);
    expect(await at('2026-11-23T07:50:00.000Z')).to.equal(1);
    ends(0);
    expect(await at('2026-11-23T08:00:00.000Z')).to.equal(2);
    expect(lines.map(({ level, fields }) => [level, fields['complained']])).to.deep.equal([
      ['warn', 'the reason'],
      ['info', undefined],
    ]);
  });

  it('tells operators what it came to', async () => {
    const { at, ends, lines } = given();
    ends(1);
    await at('2026-11-23T02:00:00.000Z');
    expect(lines.map(({ level, fields }) => [level, fields['issues']])).to.deep.equal([['error', 1]]);
  });

  it('says nothing of one that the end of the server cut short', async () => {
    const { at, ends, lines, stop } = given();
    ends(null);
    stop();
    await at('2026-11-23T02:00:00.000Z');
    expect(lines).to.deep.equal([]);
  });
});
