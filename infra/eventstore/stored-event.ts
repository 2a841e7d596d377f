import type { Position, StoredEvent } from '../../src/kernel/event-store.ts';
import type { EventMetadata } from '../../src/kernel/message.ts';

type Recorded = Readonly<{
  streamId: string;
  id: string;
  revision: bigint;
  type: string;
  data: unknown;
  metadata?: unknown;
  created: Date;
  position?: Position;
}>;

/** An event of the client in the port's words. */
export const storedEventOf = (event: Recorded): StoredEvent => {
  if (event.position === undefined)
    throw new Error('the event store is too old: it tells no positions (22.6 is needed)');
  const { id, revision, type, data, created, position } = event;
  return {
    id,
    stream: event.streamId,
    revision,
    type,
    data,
    metadata: event.metadata as EventMetadata,
    created,
    position,
  };
};
