import type { Event } from '../../kernel/message.ts';
import type { Seal } from '../../kernel/seal.ts';

/** The events of a part of the log are these and no others. */
export type AuditBatchSealed = Event<'AuditBatchSealed', Seal>;

export type AuditAnchorEvent = AuditBatchSealed;

/** The one stream is `auditAnchor-log`. Its own events are not sealed again: each names the root of the one before. */
export const AUDIT_ANCHOR = 'auditAnchor';
export const AUDIT_ANCHOR_ID = 'log';
export const SEALS = `${AUDIT_ANCHOR}-${AUDIT_ANCHOR_ID}`;

/** True for the events that are sealed: all but seals. */
export const isSealable = ({ stream }: Readonly<{ stream: string }>): boolean => !stream.startsWith(`${AUDIT_ANCHOR}-`);
