import { expect } from 'chai';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { pushTokensProjection } from '../../projections/push-tokens/push-tokens.projection.ts';
import { pushTargets } from '../../queries/notifications/push-targets.query.ts';
import { pushTokensOf, stalePushTokens } from '../../queries/notifications/stale-push-tokens.query.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { givenPushTokens } from '../devices/given-push-tokens.ts';
import { ADA, causeAt, DEVICE, handed, killed, mine, phone } from './fixtures.ts';

describe('the push tokens in the read models', function () {
  this.timeout(60_000);
  const store = memoryEventStore();
  const vault = sqliteVault({ path: ':memory:', masterKey: 'ab'.repeat(32) });
  const { tokens } = givenPushTokens(store, vault);
  let side: ReadSide;

  before(async () => {
    side = await startReadSide([devicesProjection, pushTokensProjection], { store, vault });
  });
  after(() => side.close());

  const reached = async () => (await side.queries.asUser(ADA, pushTargets(ADA))).map(({ tokenHash }) => tokenHash);
  const stale = async (second: number) =>
    (await side.queries.asSystem(stalePushTokens(causeAt(second).at, 10))).map(({ tokenHash }) => tokenHash);

  it('are sent to only by what the device says is its own, and are stale otherwise', async () => {
    await tokens.store(mine, handed('aa'.repeat(32)), phone, causeAt(1));
    const [first] = await reached();
    expect(await stale(60)).to.deep.equal([]);

    await killed(store, 2, () => tokens.store(mine, handed('bb'.repeat(32)), phone, causeAt(2)));
    const [second, ...more] = await reached();
    expect(more).to.deep.equal([]);
    expect(second).to.not.equal(first);
    expect(await stale(60)).to.deep.equal([first]);

    await killed(store, 1, () => tokens.drop(mine, 'signed_out', causeAt(3)));
    expect(await reached(), 'who has signed out is told nothing').to.deep.equal([]);
    expect(await stale(60)).to.deep.equal([first, second]);
    expect(await stale(2), 'whoever is handing it in has not finished').to.deep.equal([first]);

    const held = await side.queries.asSystem(pushTokensOf(ADA));
    expect(held.map(({ deviceId }) => deviceId)).to.deep.equal([DEVICE, DEVICE]);
    for (const each of held) await tokens.releaseStale(each, causeAt(90));
    expect(await side.queries.asSystem(pushTokensOf(ADA))).to.deep.equal([]);
  });
});
