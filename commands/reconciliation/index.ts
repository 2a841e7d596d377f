import { RECONCILIATION, type ReconciliationEvent } from '../../src/events/reconciliation/reconciliation.events.ts';
import { reconciliationUpcasters } from '../../src/events/reconciliation/reconciliation.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { ReconciliationCommand } from './reconciliation.commands.ts';
import { reconciliationDecider, type Reconciliation } from './reconciliation.decider.ts';

/** The proofs of one day; `reconciliationId` names its stream. */
export const reconciliationAggregate: Aggregate<Reconciliation, ReconciliationCommand, ReconciliationEvent> = {
  category: RECONCILIATION,
  decider: reconciliationDecider,
  upcasters: reconciliationUpcasters,
};

/** The day of a moment in UTC, as streams are named: `20261123`. */
export const reconciliationId = (at: Date): string => at.toISOString().slice(0, 10).replaceAll('-', '');
