import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import type { Projector } from '../../infra/postgres/projector.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { auditProjection } from '../../projections/audit/audit.projection.ts';
import { auditTable } from '../../projections/audit/audit.table.ts';
import { auditEntries } from '../../queries/audit/audit-entries.query.ts';
import type { EventMetadata } from '../../src/kernel/message.ts';
import { givenProjection } from '../support/given-projection.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { database, metadata, testProjector } from './fixture.ts';

const ada = randomUUID();
const bob = randomUUID();
const sealed = { k: 'k', iv: 'iv', ct: 'ct', tag: 'tag' };

describe('audit trail', () => {
  it('holds one row an event with what is needed to find and prove it', async () => {
    const id = randomUUID();
    const [row] = await givenProjection(auditProjection)
      .events({
        id,
        stream: `creditAccount-${ada}`,
        type: 'CreditsPurchased',
        data: { lotId: 'lot-1' },
        at: '2026-11-02T09:00:01.250Z',
        actor: { kind: 'job', id: 'purchases' },
        metadata: { requestId: 'request', hash: 'abc' },
      })
      .rows(auditTable);
    expect(row).to.deep.include({
      event_id: id,
      stream: `creditAccount-${ada}`,
      revision: 0n,
      type: 'CreditsPurchased',
      action: 'credit_purchase_succeeded',
      user_id: ada,
      actor_kind: 'job',
      actor_id: 'purchases',
      occurred_at: '2026-11-02T09:00:01.250000Z',
      request_id: 'request',
      correlation_id: 'correlation',
      hash: 'abc',
    });
  });

  it('finds whom an event is about', async () => {
    const user: EventMetadata['actor'] = { kind: 'user', id: ada };
    const admin: EventMetadata['actor'] = { kind: 'admin', id: ada };
    const rows = await givenProjection(auditProjection)
      .events(
        { stream: 'device-1', type: 'DeviceRegistered', data: { userId: bob }, actor: user },
        { stream: `user-${bob}`, type: 'RoleChanged', data: {}, actor: admin },
        { stream: 'session-1', type: 'SignedOut', data: {}, actor: user },
        { stream: 'billingPolicy-global', type: 'FeeTiersChanged', data: {}, actor: admin },
        { stream: 'user-not-a-uuid', type: 'RoleChanged', data: { userId: 7 } },
      )
      .rows(auditTable);
    const subjects = Object.fromEntries(rows.map((row) => [row['stream'] as string, row['user_id']]));
    expect(subjects).to.deep.equal({
      'device-1': bob,
      [`user-${bob}`]: bob,
      'session-1': ada,
      'billingPolicy-global': null,
      'user-not-a-uuid': null,
    });
  });

  it('takes events of any version, and neither opens nor shows what is sealed', async () => {
    const rows = await givenProjection(auditProjection)
      .events({
        stream: `user-${ada}`,
        type: 'ProfileChanged',
        data: { email: sealed },
        opened: { email: 'ada@example.test' },
        metadata: { schemaVersion: 9 },
      })
      .rows(auditTable);
    expect(rows).to.have.length(1);
    expect(
      JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
    ).not.to.match(/ada@example|"ct"/);
  });

  describe('asked', () => {
    const store = memoryEventStore();
    let pools: DatabasePools;
    let drop: () => Promise<void>;
    let trail: Projector;

    before(async () => {
      ({ pools, drop } = await database());
      trail = testProjector({ projections: [auditProjection], store, pools });
      trail.start();
      for (const [user, type] of [
        [ada, 'ConsentAccepted'],
        [bob, 'ConsentAccepted'],
        [ada, 'ConsentWithdrawn'],
      ] as const)
        await store.append(`consent-${user}`, 'any', [{ id: randomUUID(), type, data: {}, metadata: metadata() }]);
      // A snapshot is not an event of the trail.
      const { position } = await store.append(`creditAccountSnapshot-${ada}`, 'any', [
        { id: randomUUID(), type: 'Snapshot', data: {}, metadata: {} },
      ]);
      expect(await trail.waitFor(position, { timeoutMs: 10_000 })).to.equal(true);
    });
    after(async () => {
      await trail.stop();
      await drop();
    });

    it('answers newest first, by page, user and action', async () => {
      const runner = queryRunner(pools);
      const all = await runner.asSystem(auditEntries({ limit: 10 }));
      expect(all.map(({ action, userId }) => [action, userId])).to.deep.equal([
        ['consent_withdrawn', ada],
        ['consent_accepted', bob],
        ['consent_accepted', ada],
      ]);
      const older = await runner.asSystem(auditEntries({ limit: 1, before: BigInt(all[0]!.position) }));
      expect(older).to.deep.equal([all[1]]);
      expect(await runner.asSystem(auditEntries({ limit: 10, userId: bob }))).to.deep.equal([all[1]]);
      expect(await runner.asSystem(auditEntries({ limit: 10, action: 'consent_withdrawn' }))).to.deep.equal([all[0]]);
    });

    it('shows a user only what is about them', async () => {
      const mine = await queryRunner(pools).asUser(bob, auditEntries({ limit: 10 }));
      expect(mine.map(({ userId }) => userId)).to.deep.equal([bob]);
    });
  });
});
