import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { ERASURE, type SubjectKeyDestroyed } from '../../src/events/erasure/erasure.events.ts';
import { microOf } from '../../src/kernel/money.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { adjustmentTable } from './adjustments.table.ts';

const change = (stream: string, adjustmentId: string, set: Row): RowOp => ({
  op: 'set',
  table: adjustmentTable,
  key: { user_id: accountOwner(stream), adjustment_id: adjustmentId },
  set,
});

const noteOf = (opened: Readonly<Record<string, unknown>>): string | null => {
  const { note } = opened;
  return typeof note === 'string' ? note : null;
};

/** Every adjustment and who decided it. */
export const adjustmentsProjection = defineProjection<CreditAccountEvent | SubjectKeyDestroyed>({
  name: 'adjustments',
  version: 2,
  tables: [adjustmentTable],
  streamPrefixes: [...creditAccountStreams, `${ERASURE}-`],
  upcasters: creditAccountUpcasters,
  on: {
    SubjectKeyDestroyed: ({ data }) => [
      { op: 'forget', table: adjustmentTable, of: { user_id: data.userId }, set: { note: null } },
    ],
    AdjustmentRequested: ({ stream, data, opened }) => [
      change(stream, data.adjustmentId, {
        status: 'waiting',
        amount_micro: microOf(data.amount),
        bucket: data.bucket,
        reason_code: data.reasonCode,
        note: noteOf(opened),
        requested_by: data.requestedBy,
        requested_at: data.at,
      }),
    ],
    AdjustmentRejected: ({ stream, data }) => [
      change(stream, data.adjustmentId, { status: 'rejected', decided_by: data.rejectedBy, decided_at: data.at }),
    ],
    CreditsAdjusted: ({ stream, data, opened }) => [
      change(stream, data.adjustmentId, {
        status: 'done',
        amount_micro: microOf(data.amount),
        bucket: data.bucket,
        reason_code: data.reasonCode,
        note: noteOf(opened),
        requested_by: data.requestedBy,
        decided_by: data.approvedBy ?? null,
        decided_at: data.at,
        ...(data.approvedBy === undefined ? { requested_at: data.at } : {}),
      }),
    ],
  },
});
