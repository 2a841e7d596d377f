import type { StoredEvent } from '../../src/kernel/event-store.ts';
import type { Projected, Projection, RowOp } from '../../src/kernel/projection.ts';
import { upcast } from '../../src/kernel/upcasting.ts';
import { isSealed, type SubjectVault } from '../../src/kernel/vault.ts';

/** Personal data opener: the part of the vault that a projection needs. */
export type Opener = Pick<SubjectVault, 'open'>;

const openMembers = async (vault: Opener, stream: string, data: unknown): Promise<Record<string, unknown>> => {
  if (typeof data !== 'object' || data === null) return {};
  const sealed = Object.entries(data).filter(([, value]) => isSealed(value));
  if (sealed.length === 0) return {};
  const opened = await Promise.all(
    sealed.map(async ([name, value]) => [name, isSealed(value) ? await vault.open(stream, value) : null] as const),
  );
  return Object.fromEntries(opened);
};

const handles = ({ types }: Projection, type: string): boolean => types?.has(type) ?? true;

/** The event as the projection sees it: latest shape, personal fields opened. */
const projectedOf = async ({ upcasters }: Projection, vault: Opener, stored: StoredEvent): Promise<Projected> => {
  if (upcasters === 'as-stored') return { ...stored, opened: {} };
  const { data } = upcast(upcasters, stored);
  return { ...stored, data, opened: await openMembers(vault, stored.stream, data) };
};

/** An event that could not be applied. */
export class HandlerFailure extends Error {
  readonly event: StoredEvent;
  constructor(event: StoredEvent, cause: unknown) {
    super(`${event.type} could not be applied`, { cause });
    this.name = 'HandlerFailure';
    this.event = event;
  }
}

/** What events do, in order; when one cannot be applied, what those before it do, and the failure. */
export type Applied = Readonly<{ ops: readonly RowOp[]; applied: number; failure: HandlerFailure | undefined }>;

/** Asks the projection what events do. Sealed members of all of them are opened at the same time. */
export const applyEvents = async (
  projection: Projection,
  vault: Opener,
  events: readonly StoredEvent[],
): Promise<Applied> => {
  const seen = await Promise.allSettled(
    events.map(async (event) => (handles(projection, event.type) ? projectedOf(projection, vault, event) : undefined)),
  );
  const ops: RowOp[] = [];
  for (const [index, event] of events.entries()) {
    const outcome = seen[index];
    try {
      if (outcome?.status === 'rejected') throw outcome.reason;
      if (outcome?.value !== undefined) ops.push(...projection.apply(outcome.value));
    } catch (cause) {
      return { ops, applied: index, failure: new HandlerFailure(event, cause) };
    }
  }
  return { ops, applied: events.length, failure: undefined };
};
