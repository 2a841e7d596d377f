import type {
  Discrepancy,
  Proven,
  ReconciliationEvent,
} from '../../src/events/reconciliation/reconciliation.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { ReconciliationCommand } from './reconciliation.commands.ts';

/** One proof of a day. `proven` is null while it runs, and for ever when it was cut short. */
export type ReconciliationRun = Readonly<{
  run: string;
  asOfPos: string;
  startedAt: IsoTime;
  completedAt: IsoTime | null;
  proven: Proven | null;
  found: readonly Discrepancy[];
}>;

/** The proofs of a day, in the order in which they began. */
export type Reconciliation = Readonly<{ runs: readonly ReconciliationRun[] }>;

const changed = (
  { runs }: Reconciliation,
  id: string,
  change: (run: ReconciliationRun) => Partial<ReconciliationRun>,
): Reconciliation => ({ runs: runs.map((run) => (run.run === id ? { ...run, ...change(run) } : run)) });

const evolve = (state: Reconciliation, { type, data }: ReconciliationEvent): Reconciliation => {
  switch (type) {
    case 'ReconciliationStarted': {
      const { run, asOfPos, at } = data;
      const begun = { run, asOfPos, startedAt: at, completedAt: null, proven: null, found: [] };
      return { runs: [...state.runs, begun] };
    }
    case 'DiscrepancyFound': {
      const { run, at: _, ...found } = data;
      return changed(state, run, (one) => ({ found: [...one.found, found] }));
    }
    case 'ReconciliationCompleted': {
      const { run, at: completedAt, ...proven } = data;
      return changed(state, run, () => ({ completedAt, proven }));
    }
  }
};

const decide = ({ type, data }: ReconciliationCommand, { runs }: Reconciliation): readonly ReconciliationEvent[] => {
  const known = runs.find(({ run }) => run === data.run);
  if (type === 'StartReconciliation') return known === undefined ? [{ type: 'ReconciliationStarted', data }] : [];
  if (known === undefined) throw new DomainError('not_found', 'this reconciliation has not begun');
  if (known.proven !== null) return [];
  const { run, at, found, proven } = data;
  return [
    ...found.map((one) => ({ type: 'DiscrepancyFound', data: { run, at, ...one } }) as const),
    { type: 'ReconciliationCompleted', data: { run, at, ...proven } },
  ];
};

/** Each proof begins and is completed once; what it found is said together with its end. */
export const reconciliationDecider: Decider<Reconciliation, ReconciliationCommand, ReconciliationEvent> = {
  initial: { runs: [] },
  evolve,
  decide,
};
