import { isSealable, SEALS, type AuditBatchSealed } from '../events/audit-anchor/audit-anchor.events.ts';
import { auditAnchorUpcasters } from '../events/audit-anchor/audit-anchor.upcasters.ts';
import { DomainError } from '../kernel/errors.ts';
import { isAfter, type EventStore, type Position, type StoredEvent } from '../kernel/event-store.ts';
import { merklePath, merkleRoot, rootFromPath } from '../kernel/merkle.ts';
import type { EventMetadata } from '../kernel/message.ts';
import { isSigned, leafOf, placeOf, placeText, type PlaceText, type Seal } from '../kernel/seal.ts';
import { upcast } from '../kernel/upcasting.ts';
import { isUnaltered } from './chain-check.ts';
import { eventsOf } from './log-pages.ts';

/** An event as it stands in the log; what is personal in it is sealed. */
type ProvenEvent = Readonly<{
  id: string;
  stream: string;
  revision: string;
  type: string;
  data: unknown;
  metadata: EventMetadata;
  position: PlaceText;
}>;

/**
 * That an event is in the log as it was when it was sealed. Whoever has this, and knows the key, needs nothing of ours to
 * check it. `index` counts the events of the batch from 0, `path` leads from its leaf to the root (hex, from the leaf up).
 */
export type InclusionProof = Readonly<{ event: ProvenEvent; index: number; path: readonly string[]; seal: Seal }>;

/** A batch is no more than this, so that one page has it, or two with the seals between. */
const BATCH_PAGE = 1_000;

type Log = Pick<EventStore, 'read' | 'readAll'>;

const unprovable = (what: string): DomainError =>
  new DomainError('internal_error', `${what}: the log is to be verified as a whole`);

const sealIn = (stored: StoredEvent): Seal => (upcast(auditAnchorUpcasters, stored) as AuditBatchSealed).data;

/** The newest seal; undefined before the first. */
export const newestSeal = async (store: Log): Promise<Seal | undefined> => {
  const [last] = await store.read(SEALS, { backwards: true, maxCount: 1 });
  return last === undefined ? undefined : sealIn(last);
};

/** The seal whose batch a position is in; undefined when it is not sealed yet. */
const sealOf = async (store: Log, position: Position): Promise<Seal | undefined> => {
  let found = await newestSeal(store);
  if (found === undefined || isAfter(position, placeOf(found.to))) return undefined;
  // Seals stand in the order of what they cover: the first that reaches as far.
  let [low, high] = [0, found.number - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const [stored] = await store.read(SEALS, { from: BigInt(middle), maxCount: 1 });
    if (stored === undefined) throw unprovable(`seal ${middle + 1} is missing`);
    const seal = sealIn(stored);
    if (isAfter(position, placeOf(seal.to))) low = middle + 1;
    else [high, found] = [middle, seal];
  }
  return found;
};

/** The events of a batch as the log has them now. */
const eventsIn = async (store: Log, { from, to }: Seal): Promise<readonly StoredEvent[]> => {
  const end = placeOf(to);
  const events: StoredEvent[] = [];
  const after = from === null ? undefined : placeOf(from);
  for await (const event of eventsOf(store, [], { after, page: BATCH_PAGE })) {
    if (isAfter(event.position, end)) break;
    if (isSealable(event)) events.push(event);
  }
  return events;
};

/**
 * The proof for one event. Throws DomainError `not_found` when there is no such event or it is not sealed yet (it is within
 * about a minute), `invalid_argument` for a seal, `internal_error` when the log is not what was sealed.
 */
export const inclusionProof = async (store: Log, stream: string, revision: bigint): Promise<InclusionProof> => {
  if (!isSealable({ stream })) throw new DomainError('invalid_argument', 'a seal is proven by its own signature');
  const [event] = await store.read(stream, { from: revision, maxCount: 1 });
  // Snapshots and what the store keeps for itself are no events of the log.
  if (event?.revision !== revision || event.type.startsWith('$')) {
    throw new DomainError('not_found', 'there is no such event');
  }
  const { id, type, data, metadata, position } = event;
  const seal = await sealOf(store, position);
  if (seal === undefined) throw new DomainError('not_found', 'this event is not sealed yet; ask again in a minute');
  const events = await eventsIn(store, seal);
  const index = events.findIndex((one) => one.stream === stream && one.revision === revision);
  const leaves = events.map(leafOf);
  if (index === -1 || merkleRoot(leaves) !== seal.merkleRoot) throw unprovable(`seal ${seal.number} does not hold`);
  const proven = { id, stream, revision: revision.toString(), type, data, metadata, position: placeText(position) };
  return { event: proven, index, path: merklePath(leaves, index), seal };
};

/** What is wrong with a proof; nothing when it holds. `trusted` are the ids of the keys that may sign; none: any. */
export const proofFaults = (proof: InclusionProof, trusted: readonly string[] = []): readonly string[] => {
  const { event, index, path, seal } = proof;
  const faults: string[] = [];
  const stored = {
    ...event,
    revision: BigInt(event.revision),
    position: placeOf(event.position),
    created: new Date(0),
  };
  if (!isUnaltered(stored)) faults.push('the content of the event does not give its hash');
  const root = rootFromPath(leafOf(stored), { index, count: seal.count, path });
  if (root !== seal.merkleRoot) faults.push('the event is not one of those that the seal covers');
  if (!isSigned(seal)) faults.push('the seal is not signed by the key that it names');
  if (trusted.length > 0 && !trusted.includes(seal.keyId)) faults.push(`the seal is signed by key ${seal.keyId}`);
  return faults;
};
