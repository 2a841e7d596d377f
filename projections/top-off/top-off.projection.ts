import { AUTO_TOP_OFF, type AutoTopOffEvent } from '../../src/events/auto-top-off/auto-top-off.events.ts';
import { autoTopOffUpcasters } from '../../src/events/auto-top-off/auto-top-off.upcasters.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { topOffTable } from './top-off.table.ts';

const now = ({ userId }: AutoTopOffEvent['data'], set: Row): readonly RowOp[] => [
  { op: 'set', table: topOffTable, key: { user_id: userId }, set },
];

/** Where automatic buying of each user stands. */
export const topOffProjection = defineProjection<AutoTopOffEvent>({
  name: 'top-off',
  version: 2,
  tables: [topOffTable],
  streamPrefixes: [`${AUTO_TOP_OFF}-`],
  upcasters: autoTopOffUpcasters,
  on: {
    TopOffTriggered: ({ data }) => now(data, { under_way: true }),
    TopOffSucceeded: ({ data }) => now(data, { under_way: false, next_eligible_at: null, last_code: null }),
    TopOffFailed: ({ data }) =>
      now(data, { under_way: false, next_eligible_at: data.nextEligibleAt, last_code: data.code }),
    TopOffSuspended: ({ id, data }) => now(data, { suspended: true, suspended_by: id }),
    TopOffResumed: ({ data }) =>
      now(data, { suspended: false, suspended_by: null, next_eligible_at: null, last_code: null }),
  },
});
