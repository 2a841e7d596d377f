import { hash as digest } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { StoredEvent } from './event-store.ts';
import type { EventMetadata } from './message.ts';

/** What stands before the first event of a stream. */
export const CHAIN_START = '';

type Linked = Readonly<{
  stream: string;
  revision: bigint;
  type: string;
  id: string;
  data: unknown;
  metadata: Omit<EventMetadata, 'hash'>;
}>;

/**
 * The hash that ties an event to all earlier events of its stream: SHA-256, in hex, over the canonical JSON (RFC 8785)
 * of everything but the hash itself. `metadata.prevHash` is part of it, so one altered byte breaks every later link.
 */
export const hashOf = ({ stream, revision, type, id, data, metadata }: Linked): string => {
  const text = canonicalJson({ stream, revision: revision.toString(), type, id, data, metadata });
  return digest('sha256', text, 'hex');
};

/** True when the event's own hash is right; whether `prevHash` fits its neighbour is for the caller to compare. */
export const hashIsRight = (event: StoredEvent): boolean => {
  const { hash, ...metadata } = event.metadata;
  return hash === hashOf({ ...event, metadata });
};
