import type { AuditAnchorEvent } from '../../src/events/audit-anchor/audit-anchor.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import type { Seal } from '../../src/kernel/seal.ts';
import type { SealBatch } from './audit-anchor.commands.ts';

/** The last seal; null before the first. */
export type AuditAnchor = Readonly<{ last: Pick<Seal, 'number' | 'to' | 'merkleRoot'> | null }>;

/** Seals follow one another: one that was made after another than the last one is of no use, and made anew by its maker. */
export const auditAnchorDecider: Decider<AuditAnchor, SealBatch, AuditAnchorEvent> = {
  initial: { last: null },
  evolve: (_, { data: { number, to, merkleRoot } }) => ({ last: { number, to, merkleRoot } }),
  decide: ({ data }, { last }) => {
    const follows = data.number === (last?.number ?? 0) + 1 && data.prevRoot === (last?.merkleRoot ?? '');
    return follows ? [{ type: 'AuditBatchSealed', data }] : [];
  },
};
