import type { Upcasters } from '../../kernel/upcasting.ts';
import type { AuditAnchorEvent } from './audit-anchor.events.ts';

/** The event is still in its first shape. */
export const auditAnchorUpcasters: Upcasters<AuditAnchorEvent> = {};
