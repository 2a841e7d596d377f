import type { ErasureStep } from '../../src/events/erasure/erasure.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';

/** The order in which steps are taken. */
export const ERASURE_STEPS: readonly ErasureStep['type'][] = [
  'AccessEnded',
  'ConnectionsEnded',
  'BelongingsRemoved',
  'SubjectKeyDestroyed',
  'ReadModelsPurged',
  'CustomerForgotten',
  'ErasureCompleted',
];

/** When each step that is done was done. */
export type StepsDone = Readonly<Partial<Record<ErasureStep['type'], IsoTime>>>;

export type Erasure =
  | Readonly<{ status: 'none' }>
  /** Not now; the account lives on. */
  | Readonly<{ status: 'blocked' }>
  | Readonly<{ status: 'running' | 'completed'; requestedAt: IsoTime; done: StepsDone }>;
