import { expect } from 'chai';
import { databasePools } from '../../infra/postgres/pools.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { projector } from '../../infra/postgres/projector.ts';
import { removeOutdated } from '../../infra/postgres/retention.ts';
import { verifyProjection } from '../../infra/postgres/verify-projection.ts';
import { devicePresenceProjection } from '../../projections/device-presence/device-presence.projection.ts';
import { devicePresenceTable } from '../../projections/device-presence/device-presence.table.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { eventually } from '../support/eventually.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { freshDatabase } from '../support/postgres.ts';
import { ADA, DEVICE_ID, minutes } from './fixtures.ts';

const stream = `device-${DEVICE_ID}`;

const said = (type: string, at: string, more: object = {}): GivenEvent => ({
  stream,
  type,
  data: { deviceId: DEVICE_ID, userId: ADA, at, ...more },
});

const row = (revision: bigint, presence: string, minute: number) => ({
  device_id: DEVICE_ID,
  revision,
  user_id: ADA,
  presence,
  at: minutes(minute).replace('Z', '000Z'),
});

describe('device-presence projection', () => {
  it('has a row for every change, and none for signs of life', async () => {
    await givenProjection(devicePresenceProjection)
      .events(
        said('DeviceRegistered', minutes(0), { presence: 'online' }),
        said('DeviceSeen', minutes(5), { presence: 'online' }),
        said('DeviceSeen', minutes(6), { presence: 'offline', before: 'online' }),
        said('DeviceVisibilityChanged', minutes(7), { presence: 'offline', relayEligible: false }),
        said('DeviceRemoved', minutes(8)),
      )
      .thenRows(devicePresenceTable, [
        row(0n, 'online', 0),
        row(2n, 'offline', 6),
        row(3n, 'offline', 7),
        row(4n, 'offline', 8),
      ]);
  });

  it('loses rows of more than a month, and is right all the same', async () => {
    const database = await freshDatabase();
    const pools = databasePools({ url: database.url, logger: silentLogger });
    const store = memoryEventStore();
    const vault = { open: () => Promise.resolve(null) };
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    for (const [index, days] of [40, 31, 29, 1].entries()) {
      const { type, data } = said('DeviceSeen', daysAgo(days), { presence: 'away', before: 'online' });
      const metadata = { schemaVersion: 1, occurredAt: daysAgo(days) };
      await store.append(stream, 'any', [{ id: uuidOf(`presence ${index}`), type, data, metadata }]);
    }
    const projecting = projector({
      ...{ projections: [devicePresenceProjection], store, pools, vault, logger: silentLogger },
      ...{ clock: () => new Date(), instance: 'presence', limits: { max: 100, linger: 0 } },
    });
    const count = async (): Promise<number> =>
      (await pools.projector.query('select 1 from rm.device_presence')).rowCount ?? 0;
    try {
      await migrate(pools, silentLogger);
      projecting.start();
      const head = await store.head();
      await eventually('the projection has come to the end', async () =>
        head !== undefined && (await projecting.waitFor(head, { timeoutMs: 100 })) ? true : undefined,
      );
      expect(await count()).to.equal(4);
      expect(await removeOutdated(pools, [devicePresenceTable], new Date())).to.equal(2);
      expect(await count()).to.equal(2);
      expect(await verifyProjection(devicePresenceProjection, { store, pools, vault })).to.include({ right: true });
      await pools.projector.query("delete from rm.device_presence where at > now() - interval '2 days'");
      expect(await verifyProjection(devicePresenceProjection, { store, pools, vault })).to.include({ right: false });
    } finally {
      await projecting.stop();
      await pools.close();
      await database.drop();
    }
  });
});
