import { apiKeysProjection } from '../../projections/api-keys/api-keys.projection.ts';
import { apiKeySpendingTable, apiKeyTable } from '../../projections/api-keys/api-keys.table.ts';
import { metered, work } from '../credits/fixtures.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';
import { ADA, create, GRACE, KEY_ID, sealedName, T0, T1 } from './fixtures.ts';

const stream = `apiKey-${KEY_ID}`;
const stored = (at: string): string => at.replace('Z', '000Z');

const created: GivenEvent = {
  stream,
  type: 'ApiKeyCreated',
  data: { ...create().data, name: sealedName, budget: { limit: '5000000', period: 'day' } },
  opened: { name: 'my editor' },
};

const said = (type: string, more: object = {}): GivenEvent => ({
  stream,
  type,
  data: { keyId: KEY_ID, userId: ADA, at: T1, ...more },
});

const row = {
  key_id: KEY_ID,
  user_id: ADA,
  name: 'my editor',
  last_four: 'wxyz',
  scopes: ['chat'],
  budget_micro: 5_000_000n,
  budget_period: 'day',
  created_at: stored(T0),
  expires_at: null,
  revoked_at: null,
};

const charged = (userId: string, cost: bigint, at: string, apiKeyId?: string, writtenOff = 0n): GivenEvent => ({
  stream: `creditAccount-${userId}`,
  type: 'ReservationCaptured',
  data: {
    reservationId: `${userId} ${at} ${cost}`,
    work: apiKeyId === undefined ? work : { ...work, apiKeyId },
    metered: metered(cost),
    captured: [{ lotId: 'lot', m: (cost - writtenOff).toString() }],
    released: [],
    overrun: [],
    shortfall: '0',
    writtenOff: writtenOff.toString(),
    at,
    after: { paid: '0', promo: '0', held: '0', shortfall: '0' },
  },
});

describe('the read model of API keys', function () {
  this.timeout(60_000);

  it('lists a key with its name opened', async () => {
    await givenProjection(apiKeysProjection).events(created).thenRows(apiKeyTable, [row]);
  });

  it('follows the budget, and keeps a revoked key for the sake of what it spent', async () => {
    await givenProjection(apiKeysProjection)
      .events(created, said('ApiKeyBudgetChanged', { budget: { limit: '7', period: 'total' } }))
      .thenRows(apiKeyTable, [{ ...row, budget_micro: 7n, budget_period: 'total' }]);
    await givenProjection(apiKeysProjection)
      .events(created, said('ApiKeyBudgetChanged', { budget: null }), said('ApiKeyRevoked'))
      .thenRows(apiKeyTable, [{ ...row, budget_micro: null, budget_period: null, name: null, revoked_at: stored(T1) }]);
  });

  it('keeps the row and loses the name when the user’s key is gone', async () => {
    await givenProjection(apiKeysProjection)
      .events({ ...created, opened: {} })
      .thenRows(apiKeyTable, [{ ...row, name: null }]);
  });

  it('sums what was charged with each key by day, and nothing else', async () => {
    const [morning, evening, next] = [
      '2026-01-01T08:00:00.000Z',
      '2026-01-01T23:59:59.999Z',
      '2026-01-02T00:00:00.000Z',
    ];
    await givenProjection(apiKeysProjection)
      .events(
        created,
        charged(ADA, 100n, morning, KEY_ID),
        charged(ADA, 50n, evening, KEY_ID, 20n),
        charged(ADA, 7n, next, KEY_ID),
        charged(ADA, 1_000n, next),
        charged(GRACE, 3n, next, '7f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f'),
      )
      .thenRows(apiKeySpendingTable, [
        {
          user_id: ADA,
          key_id: KEY_ID,
          day: '2026-01-01',
          requests: 2n,
          charged_micro: 130n,
          last_used_at: stored(evening),
        },
        {
          user_id: ADA,
          key_id: KEY_ID,
          day: '2026-01-02',
          requests: 1n,
          charged_micro: 7n,
          last_used_at: stored(next),
        },
        {
          user_id: GRACE,
          key_id: '7f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
          day: '2026-01-02',
          requests: 1n,
          charged_micro: 3n,
          last_used_at: stored(next),
        },
      ]);
  });
});
