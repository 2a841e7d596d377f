import { erasureDecider } from '../../commands/erasure/erasure.decider.ts';
import { ERASURE, type ErasureEvent } from '../events/erasure/erasure.events.ts';
import { erasureUpcasters } from '../events/erasure/erasure.upcasters.ts';
import { USER } from '../events/user/user.events.ts';
import { chainCheck } from '../finance/chain-check.ts';
import { streamOf } from '../kernel/aggregate.ts';
import { fold } from '../kernel/decider.ts';
import { comparePositions, positionText, type EventStore, type StoredEvent } from '../kernel/event-store.ts';
import { upcast } from '../kernel/upcasting.ts';

/** What the log says of a user's erasure. `certificate` is null while it is not complete. */
export type ErasureProof = Readonly<{
  userId: string;
  status: string;
  steps: readonly Readonly<{ type: string; at: string }>[];
  /** True when the user's own stream ends with the removal: no token brings them back. */
  removed: boolean;
  certificate: Readonly<{ eventId: string; at: string; stream: string; position: string; hash: string }> | null;
  /** Hashes of the two streams that do not hold. */
  faults: readonly string[];
}>;

const certificateOf = (event: StoredEvent | undefined): ErasureProof['certificate'] =>
  event?.type === 'ErasureCompleted'
    ? {
        eventId: event.id,
        at: event.metadata.occurredAt,
        stream: event.stream,
        position: positionText(event.position),
        hash: event.metadata.hash,
      }
    : null;

/** Reads and checks the streams that an erasure leaves behind. */
export const erasureProof = async (store: Pick<EventStore, 'read'>, userId: string): Promise<ErasureProof> => {
  const [said, user] = await Promise.all([ERASURE, USER].map((category) => store.read(streamOf({ category }, userId))));
  const erasure = said ?? [];
  const check = chainCheck();
  const inOrder = [...erasure, ...(user ?? [])].sort((a, b) => comparePositions(a.position, b.position));
  for (const event of inOrder) check.take(event);
  const state = fold(
    erasureDecider,
    erasureDecider.initial,
    erasure.map((event) => upcast(erasureUpcasters, event) as ErasureEvent),
  );
  return {
    userId,
    status: state.status,
    steps: erasure.map(({ type, metadata }) => ({ type, at: metadata.occurredAt })),
    removed: user?.at(-1)?.type === 'UserRemoved',
    certificate: certificateOf(erasure.at(-1)),
    faults: check.report().faults.map(({ stream, revision, what }) => `${stream}@${revision}: ${what}`),
  };
};

/** The proof as a person reads it. */
export const erasureText = ({ userId, status, steps, removed, certificate, faults }: ErasureProof): string =>
  [
    ...steps.map(({ type, at }) => `${at}  ${type}`),
    ...faults,
    `user ${userId}: ${status === 'none' ? 'no erasure was asked for' : `erasure ${status}`}${removed ? ', removed' : ''}`,
    ...(certificate === null
      ? []
      : [
          `certificate ${certificate.eventId} at ${certificate.at}, position ${certificate.position}, hash ${certificate.hash}`,
        ]),
  ].join('\n');
