import { AUDIT_ANCHOR, type AuditAnchorEvent } from '../../src/events/audit-anchor/audit-anchor.events.ts';
import { auditAnchorUpcasters } from '../../src/events/audit-anchor/audit-anchor.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { SealBatch } from './audit-anchor.commands.ts';
import { auditAnchorDecider, type AuditAnchor } from './audit-anchor.decider.ts';

/** The seals of the log, of which there is one more each minute in which anything happens. */
export const auditAnchorAggregate: Aggregate<AuditAnchor, SealBatch, AuditAnchorEvent> = {
  category: AUDIT_ANCHOR,
  decider: auditAnchorDecider,
  upcasters: auditAnchorUpcasters,
  snapshot: { version: 1, every: 500, toJson: (state) => state, fromJson: (json) => json as AuditAnchor },
};
