import type { Discrepancy, Proven } from '../../src/events/reconciliation/reconciliation.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';

/** Key `start:<run>`. */
export type StartReconciliation = Command<
  'StartReconciliation',
  Readonly<{ run: string; asOfPos: string; at: IsoTime }>
>;

/** Key `complete:<run>`. `found` has the first of them, `proven.issues` counts all. */
export type CompleteReconciliation = Command<
  'CompleteReconciliation',
  Readonly<{ run: string; found: readonly Discrepancy[]; proven: Proven; at: IsoTime }>
>;

export type ReconciliationCommand = StartReconciliation | CompleteReconciliation;
