import { isUuid } from '../../src/kernel/ids.ts';
import type { Projected, Projection, RowOp } from '../../src/kernel/projection.ts';
import { auditAction } from './audit-action.ts';
import { auditTable } from './audit.table.ts';

/** Streams that are named after the user they are about. */
const ofUsers = /^(user|creditAccount|billingProfile|autoTopOff|consent|notification|erasure)-(.+)$/;

const uuidOrNone = (value: unknown): string | undefined =>
  typeof value === 'string' && isUuid(value) ? value : undefined;

/** Whom the event is about: as it says itself, else by its stream, else by who caused it. */
const subjectOf = ({ stream, data, metadata: { actor } }: Projected): string | null => {
  const said = (data as Readonly<Record<string, unknown>> | null)?.['userId'];
  const byActor = actor.kind === 'user' ? actor.id : undefined;
  return uuidOrNone(said) ?? uuidOrNone(ofUsers.exec(stream)?.[2]) ?? uuidOrNone(byActor) ?? null;
};

/** Snapshots are copies of what events said, and are not kept: they carry no link of the chain. */
const isEvent = ({ metadata }: Projected): boolean => 'hash' in metadata;

const entryOf = (event: Projected): RowOp => {
  const { id, stream, revision, type, metadata, created, position } = event;
  return {
    op: 'insert',
    table: auditTable,
    row: {
      event_id: id,
      position: position.commit,
      stream,
      revision,
      type,
      action: auditAction(type),
      user_id: subjectOf(event),
      actor_kind: metadata.actor.kind,
      actor_id: metadata.actor.id,
      occurred_at: metadata.occurredAt,
      recorded_at: created.toISOString(),
      request_id: metadata.requestId ?? null,
      correlation_id: metadata.$correlationId,
      hash: metadata.hash,
    },
  };
};

/** Every event there is, as it was stored: nothing is decrypted for the audit trail. */
export const auditProjection: Projection = {
  name: 'audit',
  version: 1,
  tables: [auditTable],
  streamPrefixes: [],
  upcasters: 'as-stored',
  apply: (event) => (isEvent(event) ? [entryOf(event)] : []),
};
