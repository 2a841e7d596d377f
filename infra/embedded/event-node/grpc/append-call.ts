import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import type { ExpectedRevision } from '../streams/append-rules.ts';
import { sizeOf, whyMalformed, whyUnwritable } from '../streams/append-limits.ts';
import type { WriteOutcome } from '../streams/stream-writer.ts';
import { sharedPb, streamsPb, type AppendReq, type AppendResp } from '../wire/protocol.ts';
import type { NewEvent } from '../wire/record.ts';
import { readUuid } from '../wire/uuid.ts';
import type { Appender } from './appender.ts';
import type { CredentialCheck } from './credentials.ts';
import { appendTooLarge, invalidArgument, streamDeleted, toStatus } from './refusals.ts';

type Header = { stream: string; expected: ExpectedRevision };

const readHeader = (options: AppendReq.Options): Header => {
  const stream = Buffer.from(options.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8');
  if (options.hasRevision()) return { stream, expected: Number(options.getRevision()) };
  if (options.hasNoStream()) return { stream, expected: 'noStream' };
  return { stream, expected: options.hasStreamExists() ? 'streamExists' : 'any' };
};

const readProposed = (message: AppendReq.ProposedMessage): NewEvent => ({
  id: readUuid(message.getId()?.serializeBinary() ?? new Uint8Array()),
  type: message.getMetadataMap().get('type') ?? '',
  contentType: message.getMetadataMap().get('content-type') ?? '',
  data: message.getData_asU8(),
  customMetadata: message.getCustomMetadata_asU8(),
});

const success = (revision: number, position: number): AppendResp => {
  const reply = new streamsPb.AppendResp.Success();
  if (revision < 0) reply.setNoStream(new sharedPb.Empty());
  else reply.setCurrentRevision(String(revision));
  if (position < 1) return new streamsPb.AppendResp().setSuccess(reply.setNoPosition(new sharedPb.Empty()));
  const place = new streamsPb.AppendResp.Position();
  place.setCommitPosition(String(position)).setPreparePosition(String(position));
  return new streamsPb.AppendResp().setSuccess(reply.setPosition(place));
};

const wrongVersion = (expected: ExpectedRevision, current: number): AppendResp => {
  const reply = new streamsPb.AppendResp.WrongExpectedVersion();
  const empty = new sharedPb.Empty();
  if (current < 0) reply.setCurrentNoStream(empty);
  else reply.setCurrentRevision(String(current));
  if (expected === 'any') reply.setExpectedAny(empty);
  else if (expected === 'noStream') reply.setExpectedNoStream(empty);
  else if (expected === 'streamExists') reply.setExpectedStreamExists(empty);
  else reply.setExpectedRevision(String(expected));
  return new streamsPb.AppendResp().setWrongExpectedVersion(reply);
};

const replyTo = ({ stream, expected }: Header, outcome: WriteOutcome): AppendResp => {
  if (outcome.kind === 'stored') return success(outcome.revision, outcome.position);
  if (outcome.kind === 'deleted') throw streamDeleted(stream);
  return wrongVersion(expected, outcome.current);
};

/** Collects the messages of one append; throws a Refusal as soon as they cannot become one. */
const createCollector = (maxBytes: number) => {
  let header: Header | undefined;
  const events: NewEvent[] = [];
  let bytes = 0;
  return {
    take: (message: AppendReq): void => {
      const options = message.getOptions();
      if (options !== undefined) header = readHeader(options);
      const proposed = message.getProposedMessage();
      if (proposed === undefined) return;
      const event = readProposed(proposed);
      bytes += sizeOf(event);
      if (bytes > maxBytes) throw appendTooLarge(maxBytes);
      events.push(event);
    },
    finish: (): { header: Header; events: NewEvent[] } => {
      if (header === undefined) throw invalidArgument('an append begins with options');
      const fault = whyUnwritable(header.stream) ?? events.map(whyMalformed).find((why) => why !== undefined);
      if (fault !== undefined) throw invalidArgument(fault);
      return { header, events };
    },
  };
};

/** Answers an append whose events come as a stream of messages. */
export const answerAppend = (
  appender: Appender,
  check: CredentialCheck,
  call: ServerReadableStream<AppendReq, AppendResp>,
  answer: sendUnaryData<AppendResp>,
): void => {
  const collector = createCollector(appender.maxBytes);
  let refused = false;
  const refuse = (error: unknown): void => {
    if (!refused) answer(toStatus(error));
    refused = true;
  };
  try {
    check(call.metadata);
  } catch (error) {
    refuse(error);
  }
  call.on('data', (message: AppendReq) => {
    if (refused) return;
    try {
      collector.take(message);
    } catch (error) {
      refuse(error);
    }
  });
  call.on('end', () => {
    if (refused) return;
    const append = async (): Promise<void> => {
      const { header, events } = collector.finish();
      answer(null, replyTo(header, await appender.append(header.stream, header.expected, events)));
    };
    append().catch(refuse);
  });
};
