import { createHash } from 'node:crypto';
import { CHAIN_START, hashIsRight } from '../kernel/chain.ts';
import { isAfter, positionText, type Position, type StoredEvent } from '../kernel/event-store.ts';

/** What is wrong with an event, in words for an auditor. */
export type ChainFault = Readonly<{ stream: string; revision: string; position: string; what: string }>;

/** The end of a check. `digest` is over all hashes in log order: two equal digests mean two equal logs. */
export type ChainReport = Readonly<{
  events: number;
  streams: number;
  through: string | null;
  digest: string;
  faults: readonly ChainFault[];
}>;

type End = Readonly<{ revision: bigint; hash: string }>;

/** True when the content gives the hash. What cannot be hashed was not written by us: half a character, for one. */
export const isUnaltered = (event: StoredEvent): boolean => {
  try {
    return hashIsRight(event);
  } catch {
    return false;
  }
};

const faultsOf = (event: StoredEvent, end: End | undefined): readonly string[] => {
  const { metadata } = event as { metadata: StoredEvent['metadata'] | undefined };
  if (metadata?.hash === undefined) return ['has no hash: it was not written by this system'];
  const faults: string[] = [];
  const expected = (end?.revision ?? -1n) + 1n;
  if (event.revision !== expected) {
    faults.push(`revision ${expected.toString()} was expected: events before it are missing or out of order`);
  }
  if (metadata.prevHash !== (end?.hash ?? CHAIN_START)) faults.push('does not follow the event before it');
  if (!isUnaltered(event)) faults.push('was altered: its content does not give its hash');
  return faults;
};

/** Checks events one by one, in log order: every hash, every link, every gap. */
export const chainCheck = () => {
  const ends = new Map<string, End>();
  const faults: ChainFault[] = [];
  const digest = createHash('sha256');
  let events = 0;
  let last: Position | undefined;

  const note = (event: StoredEvent, what: string): void => {
    const { stream, revision, position } = event;
    faults.push({ stream, revision: revision.toString(), position: positionText(position), what });
  };

  return {
    /** Takes the next event of the log. */
    take: (event: StoredEvent): void => {
      events += 1;
      if (!isAfter(event.position, last)) note(event, 'is out of order in the log');
      last = event.position;
      for (const what of faultsOf(event, ends.get(event.stream))) note(event, what);
      const hash = (event.metadata as StoredEvent['metadata'] | undefined)?.hash ?? '';
      ends.set(event.stream, { revision: event.revision, hash });
      digest.update(`${positionText(event.position)} ${hash}\n`);
    },
    /** What was found so far; call once, at the end. */
    report: (): ChainReport => ({
      events,
      streams: ends.size,
      through: last === undefined ? null : positionText(last),
      digest: digest.digest('hex'),
      faults,
    }),
  };
};
