import { createHash } from 'node:crypto';
import { json, type Call, type Reply } from './endpoint.ts';

/** True when the client says that it has this very answer. */
const isKnown = (tags: string | undefined, tag: string): boolean =>
  tags !== undefined && tags.split(',').some((known) => [tag, `W/${tag}`, '*'].includes(known.trim()));

/** A JSON answer with an `ETag` that follows from its bytes alone; 304 to a client that has it already. */
export const fresh = ({ header }: Pick<Call<unknown, unknown>, 'header'>, body: unknown): Reply => {
  const tag = `"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 22)}"`;
  // Kept by nobody without asking: what is offered may change at any moment.
  const headers = { ETag: tag, 'Cache-Control': 'private, no-cache' };
  return isKnown(header('if-none-match'), tag) ? { kind: 'empty', status: 304, headers } : json(200, body, headers);
};
