import type { EventStore } from '../streams/event-store.ts';
import type { ExpectedRevision } from '../streams/append-rules.ts';
import { whyUnwritable } from '../streams/append-limits.ts';
import type { WriteOutcome } from '../streams/stream-writer.ts';
import { streamsPb, type DeleteReq, type DeleteResp, type TombstoneReq, type TombstoneResp } from '../wire/protocol.ts';
import { invalidArgument, streamDeleted, wrongExpectedVersion } from './refusals.ts';

type Request = { stream: string; expected: ExpectedRevision };

const readRequest = (options: DeleteReq.Options | TombstoneReq.Options | undefined): Request => {
  const stream = Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
  const fault = whyUnwritable(stream);
  if (options === undefined || fault !== undefined) throw invalidArgument(fault ?? 'a deletion needs options');
  if (options.hasRevision()) return { stream, expected: Number(options.getRevision()) };
  if (options.hasNoStream()) return { stream, expected: 'noStream' };
  return { stream, expected: options.hasStreamExists() ? 'streamExists' : 'any' };
};

const positionOf = ({ stream, expected }: Request, outcome: WriteOutcome): string => {
  if (outcome.kind === 'stored') return String(outcome.position);
  if (outcome.kind === 'deleted') throw streamDeleted(stream);
  throw wrongExpectedVersion(stream, expected, outcome.current);
};

/** Answers a soft deletion. */
export const answerDelete = async (store: EventStore, request: DeleteReq): Promise<DeleteResp> => {
  const wanted = readRequest(request.getOptions());
  const position = positionOf(wanted, await store.writer.softDelete(wanted.stream, wanted.expected));
  const place = new streamsPb.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position);
  return new streamsPb.DeleteResp().setPosition(place);
};

/** Answers a hard deletion. */
export const answerTombstone = async (store: EventStore, request: TombstoneReq): Promise<TombstoneResp> => {
  const wanted = readRequest(request.getOptions());
  const position = positionOf(wanted, await store.writer.tombstone(wanted.stream, wanted.expected));
  const place = new streamsPb.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position);
  return new streamsPb.TombstoneResp().setPosition(place);
};
