import { expect } from 'chai';
import { givenProjection } from '../support/given-projection.ts';
import { counters, counting } from './fixture.ts';

const ada = '00000000-0000-4000-8000-00000000000a';
const stream = `counter-${ada}`;
const sealed = { k: 'k', iv: 'iv', ct: 'ct', tag: 'tag' };

describe('givenProjection', () => {
  it('compares the rows of a history', async () => {
    await givenProjection(counting())
      .events(
        { stream, type: 'Counted', data: { amount: '1', note: 'first' } },
        { stream, type: 'Removed', data: {} },
        { stream, type: 'Counted', data: { amount: '40', note: null }, at: '2026-11-03T09:00:00.000Z' },
        { stream, type: 'Counted', data: { amount: '2', note: 'last' } },
        { stream, type: 'Unheard', data: {} },
      )
      .thenRows(counters, [
        {
          user_id: ada,
          total: 42n,
          events: 2n,
          note: 'last',
          last: { amount: '2', note: 'last' },
          at: '2026-11-02T09:00:01.250000Z',
        },
      ]);
  });

  it('opens sealed members to what the history says', async () => {
    const noting = counting({
      apply: ({ opened }) => [
        { op: 'set', table: counters, key: { user_id: ada }, set: { note: opened['note'] as string } },
      ],
    });
    const [row] = await givenProjection(noting)
      .events({ stream, type: 'Counted', data: { amount: '1', note: sealed }, opened: { note: 'plain' } })
      .rows(counters);
    expect(row?.['note']).to.equal('plain');
  });

  it('tells why a projection has stopped', async () => {
    const failing = counting({
      apply: () => {
        throw new TypeError('not today');
      },
    });
    const run = givenProjection(failing).events({ stream, type: 'Counted', data: { amount: '1', note: null } });
    const outcome = await run.rows(counters).catch((error: unknown) => error);
    expect(outcome).to.be.an('error').with.property('message').that.includes('has stopped: TypeError');
  });
});
