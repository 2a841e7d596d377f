import { erasuresProjection } from '../../projections/erasures/erasures.projection.ts';
import { erasureTable } from '../../projections/erasures/erasures.table.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';

const userId = '11111111-1111-4111-8111-111111111111';
const CERTIFICATE = '22222222-2222-4222-8222-222222222222';

const said = (type: string, at: string, more: object = {}, id?: string): GivenEvent => ({
  stream: `erasure-${userId}`,
  type,
  data: { userId, at, ...more },
  ...(id === undefined ? {} : { id }),
});
const stored = (at: string): string => at.replace('000Z', '000000Z');

const T = (second: number): string => `2026-03-01T12:00:0${second}.000Z`;
const asked = said('ErasureRequested', T(0), { by: 'user' });
const row = { user_id: userId, requested_at: stored(T(0)), completed_at: null, certificate: null };

describe('the list of erasures', function () {
  this.timeout(60_000);

  it('shows the last step of one that is under way', async () => {
    await givenProjection(erasuresProjection)
      .events(asked, said('AccessEnded', T(1)), said('ConnectionsEnded', T(4), { sessions: 1, apiKeys: 0 }))
      .thenRows(erasureTable, [{ ...row, status: 'running', step: 'ConnectionsEnded', updated_at: stored(T(4)) }]);
  });

  it('shows that one was blocked, and that it was asked for again', async () => {
    const blocked = said('ErasureBlocked', T(1), { why: 'a dispute' });
    await givenProjection(erasuresProjection)
      .events(asked, blocked)
      .thenRows(erasureTable, [{ ...row, status: 'blocked', step: 'ErasureBlocked', updated_at: stored(T(1)) }]);
    await givenProjection(erasuresProjection)
      .events(asked, blocked, said('ErasureRequested', T(2), { by: 'user' }))
      .thenRows(erasureTable, [
        {
          ...row,
          status: 'running',
          step: 'ErasureRequested',
          requested_at: stored(T(2)),
          updated_at: stored(T(2)),
        },
      ]);
  });

  it('names the certificate of one that is complete', async () => {
    await givenProjection(erasuresProjection)
      .events(asked, said('ErasureCompleted', T(9), { requestedAt: T(0) }, CERTIFICATE))
      .thenRows(erasureTable, [
        {
          ...row,
          status: 'completed',
          step: 'ErasureCompleted',
          updated_at: stored(T(9)),
          completed_at: stored(T(9)),
          certificate: CERTIFICATE,
        },
      ]);
  });
});
