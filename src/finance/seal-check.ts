import { isSealable, SEALS, type AuditBatchSealed } from '../events/audit-anchor/audit-anchor.events.ts';
import { auditAnchorUpcasters } from '../events/audit-anchor/audit-anchor.upcasters.ts';
import { isoOf } from '../kernel/clock.ts';
import { comparePositions, isAfter, positionText, type Position, type StoredEvent } from '../kernel/event-store.ts';
import { merkleRoot } from '../kernel/merkle.ts';
import { isSigned, leafOf, placeOf, type Seal } from '../kernel/seal.ts';
import { upcast } from '../kernel/upcasting.ts';
import type { ChainFault } from './chain-check.ts';

/** What the seals of the log say. `unsealed` counts the events after the last of them, `keys` names who has signed. */
export type SealReport = Readonly<{
  seals: number;
  sealedThrough: string | null;
  unsealed: number;
  keys: readonly string[];
  faults: readonly ChainFault[];
}>;

type Options = Readonly<{
  /** Ids of the keys that may sign; none: any. */
  trusted?: readonly string[];
  /** Seals that were kept elsewhere: the log must have them as they are. */
  kept?: readonly Seal[];
  /** An event that was written before this and is not sealed is a fault; absent: none is. */
  sealedBefore?: Date;
}>;

/** A log that was sealed late has all its leaves before its seals: covered ones are let go together. */
const MOST_BEHIND = 100_000;

type Leaf = Readonly<{ position: Position; created: Date; hash: Buffer }>;

const samePlace = (a: Seal['from'], b: Seal['from']): boolean =>
  a === null || b === null ? a === b : comparePositions(placeOf(a), placeOf(b)) === 0;

const said = (checks: readonly (readonly [isWrong: boolean, what: string])[]): readonly string[] =>
  checks.filter(([isWrong]) => isWrong).map(([, what]) => what);

/** Checks, in log order, that each seal is signed, follows the one before and covers what the log holds, all of it. */
export const sealCheck = ({ trusted = [], kept = [], sealedBefore }: Options = {}) => {
  const faults: ChainFault[] = [];
  const keys = new Set<string>();
  const elsewhere = new Map<number, readonly Seal[]>();
  for (const seal of kept) elsewhere.set(seal.number, [...(elsewhere.get(seal.number) ?? []), seal]);
  let leaves: Leaf[] = [];
  /** The first of them that no seal has covered yet. */
  let next = 0;
  let last: Seal | undefined;
  let seals = 0;

  /** The leaves up to a place, which no later seal can cover. */
  const taken = (to: Position): readonly Leaf[] => {
    const covered: Leaf[] = [];
    for (let leaf = leaves[next]; leaf !== undefined && !isAfter(leaf.position, to); leaf = leaves[next]) {
      covered.push(leaf);
      next += 1;
    }
    if (next > MOST_BEHIND) {
      leaves = leaves.slice(next);
      next = 0;
    }
    return covered;
  };

  /** Who signed it, and whether it follows the one before. */
  const linkFaults = (seal: Seal): readonly string[] =>
    said([
      [!isSigned(seal), 'is not signed by the key that it names'],
      [trusted.length > 0 && !trusted.includes(seal.keyId), `is signed by key ${seal.keyId}`],
      [seal.number !== (last?.number ?? 0) + 1, 'seals before it are missing or out of order'],
      [seal.prevRoot !== (last?.merkleRoot ?? ''), 'does not follow the seal before it'],
      [!samePlace(seal.from, last?.to ?? null), 'does not begin where the seal before it ends'],
    ]);

  /** Whether it covers what the log holds, as it was when it was kept elsewhere. */
  const contentFaults = (seal: Seal): readonly string[] => {
    const covered = taken(placeOf(seal.to));
    const same = elsewhere.get(seal.number) ?? [];
    elsewhere.delete(seal.number);
    const isWhole = covered.length === seal.count;
    return said([
      [!isWhole, `covers ${seal.count} events, and the log holds ${covered.length}`],
      [isWhole && merkleRoot(covered.map(({ hash }) => hash)) !== seal.merkleRoot, 'covers other events than these'],
      [same.some(({ signature }) => signature !== seal.signature), 'is not the one that was kept elsewhere'],
    ]);
  };

  /** Without this, seals that were taken away, all or the last of them, would not be missed. */
  const late = (oldest: Leaf | undefined): readonly ChainFault[] => {
    if (oldest === undefined || sealedBefore === undefined || oldest.created >= sealedBefore) return [];
    const what = `is not there, and the event of ${isoOf(oldest.created)} waits for it`;
    const place = { stream: SEALS, revision: (last?.number ?? 0).toString() };
    return [{ ...place, position: positionText(oldest.position), what }];
  };

  return {
    /** Takes the next event of the log. */
    take: (event: StoredEvent): void => {
      if (isSealable(event)) {
        leaves.push({ position: event.position, created: event.created, hash: leafOf(event) });
        return;
      }
      const { stream, revision, position } = event;
      const place = { stream, revision: revision.toString(), position: positionText(position) };
      seals += 1;
      try {
        const { data: seal } = upcast(auditAnchorUpcasters, event) as AuditBatchSealed;
        for (const what of [...linkFaults(seal), ...contentFaults(seal)]) faults.push({ ...place, what });
        keys.add(seal.keyId);
        last = seal;
      } catch {
        faults.push({ ...place, what: 'is no seal that can be read' });
      }
    },
    /** What was found so far; call once, at the end. */
    report: (): SealReport => ({
      seals,
      sealedThrough: last?.to.commit ?? null,
      unsealed: leaves.length - next,
      keys: [...keys],
      faults: [
        ...faults,
        ...late(leaves[next]),
        ...[...elsewhere.keys()].map((number) => ({
          stream: SEALS,
          revision: (number - 1).toString(),
          position: '-',
          what: 'was kept elsewhere and is not in the log',
        })),
      ],
    }),
  };
};
