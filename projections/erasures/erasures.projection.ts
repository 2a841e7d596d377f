import { ERASURE, type ErasureEvent } from '../../src/events/erasure/erasure.events.ts';
import { erasureUpcasters } from '../../src/events/erasure/erasure.upcasters.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { erasureTable } from './erasures.table.ts';

const noted = ({ type, data }: Projected<ErasureEvent>, set: Row = {}): readonly RowOp[] => [
  {
    op: 'set',
    table: erasureTable,
    key: { user_id: data.userId },
    set: { status: 'running', step: type, updated_at: data.at, ...set },
  },
];

const step = (event: Projected<ErasureEvent>): readonly RowOp[] => noted(event);

/** Erasures, for the job that finishes them and for operators. */
export const erasuresProjection = defineProjection<ErasureEvent>({
  name: 'erasures',
  version: 1,
  tables: [erasureTable],
  streamPrefixes: [`${ERASURE}-`],
  upcasters: erasureUpcasters,
  on: {
    ErasureRequested: (event) => noted(event, { requested_at: event.data.at }),
    ErasureBlocked: (event) => noted(event, { status: 'blocked' }),
    AccessEnded: step,
    ConnectionsEnded: step,
    BelongingsRemoved: step,
    SubjectKeyDestroyed: step,
    ReadModelsPurged: step,
    CustomerForgotten: step,
    ErasureCompleted: (event) =>
      noted(event, { status: 'completed', completed_at: event.data.at, certificate: event.id }),
  },
});
