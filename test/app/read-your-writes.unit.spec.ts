import { expect } from 'chai';
import { readYourWrites } from '../../src/app/read-your-writes.ts';
import type { QueryRunner } from '../../src/kernel/query.ts';
import { NO_STREAM } from '../../src/kernel/event-store.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

const USER = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';

const runner: QueryRunner = {
  asUser: (_user, query) => Promise.resolve(query.present([])),
  asSystem: (query) => Promise.resolve(query.present([])),
};
const query = { statement: { text: '', values: [] }, present: () => 'answer' };

const setUp = () => {
  const waits: string[] = [];
  const { noting, waiting } = readYourWrites();
  const store = noting(memoryEventStore());
  const queries = (shown: boolean) =>
    waiting(runner, ({ stream, position }) => {
      waits.push(`${stream}@${position.commit}`);
      return Promise.resolve(shown);
    });
  const write = (stream: string, kind: string, id: string, revision = NO_STREAM) =>
    store.append(stream, revision, [
      { id: crypto.randomUUID(), type: 'Happened', data: {}, metadata: { actor: { kind, id } } },
    ]);
  return { waits, queries, write };
};

describe('reading one’s own writes', () => {
  it('waits for the newest write of each kind, once', async () => {
    const { waits, queries, write } = setUp();
    await write(`creditAccount-${USER}`, 'job', 'sweeper');
    await write(`creditAccount-${USER}`, 'user', USER, 0n);
    await write('device-1', 'user', USER);
    expect(await queries(true).asUser(USER, query)).to.equal('answer');
    expect(waits).to.deep.equal([`creditAccount-${USER}@2`, 'device-1@3']);
    await queries(true).asUser(USER, query);
    expect(waits).to.have.length(2);
  });

  it('does not wait for the writes of others', async () => {
    const { waits, queries, write } = setUp();
    await write('device-2', 'user', OTHER);
    await queries(true).asUser(USER, query);
    expect(waits).to.deep.equal([]);
  });

  it('answers when the wait was in vain, and waits again next time', async () => {
    const { waits, queries, write } = setUp();
    await write('device-1', 'user', USER);
    expect(await queries(false).asUser(USER, query)).to.equal('answer');
    await queries(false).asUser(USER, query);
    expect(waits).to.have.length(2);
  });
});
