import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { LAST_OWN_STEP } from '../../commands/erasure/erasures.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { erasuresProjection } from '../../projections/erasures/erasures.projection.ts';
import { erasuresAfter, erasuresBefore } from '../../queries/erasure/erasures.query.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { metadata } from '../postgres/fixture.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

const OWN = ['AccessEnded', 'ConnectionsEnded', 'BelongingsRemoved', 'SubjectKeyDestroyed'];

describe('the erasures that are to be taken on', function () {
  this.timeout(60_000);
  const store = memoryEventStore();
  const vault = sqliteVault({ path: ':memory:', masterKey: 'ab'.repeat(32) });
  let side: ReadSide;
  let second = 0;

  before(async () => {
    side = await startReadSide([erasuresProjection], { store, vault });
  });
  after(() => side.close());

  /** A user whose erasure has come as far as these steps say. */
  const erased = async (...steps: readonly string[]): Promise<string> => {
    const userId = randomUUID();
    const events = ['ErasureRequested', ...steps].map((type) => {
      second += 1;
      const at = new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();
      return { id: randomUUID(), type, data: { userId, at }, metadata: metadata() };
    });
    await store.append(`erasure-${userId}`, 'any', events);
    return userId;
  };

  it('are apart from those that wait for the payment provider, so that these keep nobody', async () => {
    const waiting = [await erased(...OWN, LAST_OWN_STEP), await erased(...OWN, LAST_OWN_STEP, 'CustomerForgotten')];
    const early = [await erased(), await erased(...OWN)];
    await erased('ErasureBlocked');
    await erased(...OWN, LAST_OWN_STEP, 'CustomerForgotten', 'ErasureCompleted');
    expect(await side.queries.asSystem(erasuresBefore(LAST_OWN_STEP, 10))).to.deep.equal(early);
    expect(await side.queries.asSystem(erasuresAfter(LAST_OWN_STEP, 10))).to.have.members(waiting);
    expect(await side.queries.asSystem(erasuresAfter(LAST_OWN_STEP, 1))).to.have.length(1);
  });
});
