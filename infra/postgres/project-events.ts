import type { StoredEvent } from '../../src/kernel/event-store.ts';
import type { Projected, Projection, RowOp } from '../../src/kernel/projection.ts';
import { upcast } from '../../src/kernel/upcasting.ts';
import { isSealed, type SubjectVault } from '../../src/kernel/vault.ts';

/** Personal data opener: the part of the vault that a projection needs. */
export type Opener = Pick<SubjectVault, 'open'>;

type Opened = Readonly<Record<string, unknown>>;

const NOTHING_SEALED: Opened = {};

const openMembers = (vault: Opener, stream: string, data: unknown): Opened | Promise<Opened> => {
  if (typeof data !== 'object' || data === null) return NOTHING_SEALED;
  const values = Object.values(data);
  return values.some(isSealed) ? openSealed(vault, stream, data) : NOTHING_SEALED;
};

const openSealed = async (vault: Opener, stream: string, data: object): Promise<Opened> => {
  const opened = Object.entries(data).map(async ([name, value]: [string, unknown]) =>
    isSealed(value) ? ([[name, await vault.open(stream, value)]] as const) : [],
  );
  return Object.fromEntries((await Promise.all(opened)).flat());
};

const handles = ({ types }: Projection, type: string): boolean => types?.has(type) ?? true;

/** The event as the projection sees it: latest shape, personal fields opened. Only opening them takes a turn. */
const projectedOf = ({ upcasters }: Projection, vault: Opener, stored: StoredEvent): Projected | Promise<Projected> => {
  if (upcasters === 'as-stored') return { ...stored, opened: NOTHING_SEALED };
  const { data } = upcast(upcasters, stored);
  const opened = openMembers(vault, stored.stream, data);
  return opened instanceof Promise
    ? opened.then((members) => ({ ...stored, data, opened: members }))
    : { ...stored, data, opened };
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

/** What became of the look at one event; undefined for one that the projection does not want. */
type Seen = Projected | undefined | Readonly<{ fault: unknown }>;

const isFault = (seen: NonNullable<Seen>): seen is Readonly<{ fault: unknown }> => 'fault' in seen;

const seenBy = (projection: Projection, vault: Opener, event: StoredEvent): Seen | Promise<Seen> => {
  if (!handles(projection, event.type)) return undefined;
  try {
    const projected = projectedOf(projection, vault, event);
    return projected instanceof Promise ? projected.catch((fault: unknown) => ({ fault })) : projected;
  } catch (fault) {
    return { fault };
  }
};

/** Asks the projection what events do. Sealed members of all of them are opened at the same time. */
export const applyEvents = async (
  projection: Projection,
  vault: Opener,
  events: readonly StoredEvent[],
): Promise<Applied> => {
  const looks = events.map((event) => seenBy(projection, vault, event));
  const ops: RowOp[] = [];
  for (const [index, event] of events.entries()) {
    const look = looks[index];
    const seen = look instanceof Promise ? await look : look;
    if (seen === undefined) continue;
    try {
      if (isFault(seen)) throw seen.fault;
      ops.push(...projection.apply(seen));
    } catch (cause) {
      return { ops, applied: index, failure: new HandlerFailure(event, cause) };
    }
  }
  return { ops, applied: events.length, failure: undefined };
};
