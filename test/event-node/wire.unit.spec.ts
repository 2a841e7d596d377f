import { randomUUID } from 'node:crypto';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { expect } from 'chai';
import fc from 'fast-check';
import { refusedBatch, wrongRevision } from '../../infra/embedded/event-node/grpc/batch-refusals.ts';
import { batchSuccess, readBatchPart } from '../../infra/embedded/event-node/wire/batch-messages.ts';
import {
  caughtUpMessage,
  checkpointMessage,
  confirmationMessage,
  eventMessage,
  fellBehindMessage,
  notFoundMessage,
  withStructuredId,
} from '../../infra/embedded/event-node/wire/read-messages.ts';
import {
  decodeRecord,
  encodeRecord,
  idOf,
  streamOf,
  tombstoneRevision,
  typeOf,
} from '../../infra/embedded/event-node/wire/record.ts';
import { readUuid } from '../../infra/embedded/event-node/wire/uuid.ts';

// The hand-written encoding against the generated one, field by field.

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
const large = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 });
const stored = fc.record({
  id: fc.uuid(),
  type: name,
  contentType: fc.constantFrom('application/json', 'application/octet-stream'),
  data: bytes,
  customMetadata: bytes,
  stream: name,
  revision: fc.oneof(fc.constant(0), large, fc.constant(tombstoneRevision)),
  position: large,
  created: fc.integer({ min: 0, max: 4_000_000_000_000 }),
});
const readEvent = (message: Buffer) => streamsPb.ReadResp.deserializeBinary(message).getEvent()!;

describe('event node: wire', () => {
  it('reads back every record it writes', () => {
    fc.assert(
      fc.property(stored, (event) => {
        const record = encodeRecord(event, event);
        expect(decodeRecord(record)).to.deep.equal(event);
        expect([idOf(record), streamOf(record), typeOf(record)]).to.deep.equal([event.id, event.stream, event.type]);
      }),
    );
  });

  it('writes records that the generated code understands', () => {
    fc.assert(
      fc.property(stored, (event) => {
        const message = readEvent(eventMessage(encodeRecord(event, event), undefined, event.position));
        const record = message.getEvent()!;
        const revision = event.revision === tombstoneRevision ? '9223372036854775807' : String(event.revision);
        expect(record.getId()!.getString()).to.equal(event.id);
        expect(Buffer.from(record.getStreamIdentifier()!.getStreamName_asU8()).toString()).to.equal(event.stream);
        expect(record.getStreamRevision()).to.equal(revision);
        expect([record.getCommitPosition(), record.getPreparePosition(), message.getCommitPosition()]).to.deep.equal(
          Array.from({ length: 3 }, () => String(event.position)),
        );
        expect(record.getMetadataMap().get('type')).to.equal(event.type);
        expect(record.getMetadataMap().get('content-type')).to.equal(event.contentType);
        expect(record.getMetadataMap().get('created')).to.equal(`${event.created}0000`);
        expect(Buffer.from(record.getData_asU8())).to.deep.equal(event.data);
        expect(Buffer.from(record.getCustomMetadata_asU8())).to.deep.equal(event.customMetadata);
      }),
    );
  });

  it('gives ids as two integers to those who ask', () => {
    fc.assert(
      fc.property(stored, (event) => {
        const record = withStructuredId(encodeRecord(event, event), event.id);
        const parsed = readEvent(eventMessage(record, undefined, 1)).getEvent()!;
        expect(readUuid(parsed.getId()!.serializeBinary())).to.equal(event.id);
        expect(parsed.getCommitPosition()).to.equal(String(event.position));
      }),
    );
  });

  it('refuses ids that are none', () => {
    for (const id of ['', 'x', '00000000-0000-0000-0000-00000000000g']) {
      expect(() => readUuid(new sharedPb.UUID().setString(id).serializeBinary())).to.throw(RangeError);
    }
  });

  it('writes the other messages of a read', () => {
    const read = (message: Buffer) => streamsPb.ReadResp.deserializeBinary(message);
    expect(read(confirmationMessage('abc')).getConfirmation()!.getSubscriptionId()).to.equal('abc');
    expect(
      read(checkpointMessage(2 ** 40))
        .getCheckpoint()!
        .toObject(),
    ).to.deep.equal({
      commitPosition: String(2 ** 40),
      preparePosition: String(2 ** 40),
    });
    expect(read(caughtUpMessage()).hasCaughtUp()).to.equal(true);
    expect(read(fellBehindMessage()).hasFellBehind()).to.equal(true);
    const missing = read(notFoundMessage('strøm')).getStreamNotFound()!.getStreamIdentifier()!;
    expect(Buffer.from(missing.getStreamName_asU8()).toString()).to.equal('strøm');
  });

  it('reads batches as the generated code writes them', () => {
    const correlation = new sharedPb.UUID().setString(randomUUID());
    const expected = fc.constantFrom('any', 'noStream', 'streamExists', 0, 7, 2 ** 40);
    fc.assert(
      fc.property(stored, expected, fc.boolean(), (event, expectation, final) => {
        const options = new streamsPb.BatchAppendReq.Options();
        options.setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from(event.stream)));
        const empty = new sharedPb.Empty() as never;
        if (expectation === 'any') options.setAny(empty);
        else if (expectation === 'noStream') options.setNoStream(empty);
        else if (expectation === 'streamExists') options.setStreamExists(empty);
        else options.setStreamPosition(String(expectation));
        const proposed = new streamsPb.BatchAppendReq.ProposedMessage();
        proposed.setId(new sharedPb.UUID().setString(event.id)).setData(event.data);
        proposed.setCustomMetadata(event.customMetadata);
        proposed.getMetadataMap().set('type', event.type).set('content-type', event.contentType);
        const request = new streamsPb.BatchAppendReq().setCorrelationId(correlation).setOptions(options);
        request.setProposedMessagesList([proposed, proposed]).setIsFinal(final);
        const part = readBatchPart(Buffer.from(request.serializeBinary()));
        const { id, type, contentType, data, customMetadata } = event;
        expect(part.options).to.deep.equal({ stream: event.stream, expected: expectation, deadline: Infinity });
        expect(part.events).to.deep.equal(
          Array.from({ length: 2 }, () => ({ id, type, contentType, data, customMetadata })),
        );
        expect(part.final).to.equal(final);
      }),
    );
  });

  it('answers batches so that the generated code understands', () => {
    const id = randomUUID();
    const correlation = Buffer.from(new sharedPb.UUID().setString(id).serializeBinary());
    const success = (revision: number, position: number) =>
      streamsPb.BatchAppendResp.deserializeBinary(batchSuccess(correlation, 's', revision, position));
    expect(success(0, 1).getCorrelationId()!.getString()).to.equal(id);
    expect(success(0, 1).getSuccess()!.hasCurrentRevision()).to.equal(true);
    expect(
      success(2 ** 40, 9)
        .getSuccess()!
        .getCurrentRevision(),
    ).to.equal(String(2 ** 40));
    expect(success(-1, 0).getSuccess()!.hasNoStream()).to.equal(true);
    expect(success(-1, 0).getSuccess()!.hasNoPosition()).to.equal(true);
    const refused = refusedBatch(correlation, 's', wrongRevision(0, 5));
    const { error, correlationId } = streamsPb.BatchAppendResp.deserializeBinary(refused).toObject();
    expect(correlationId!.string).to.equal(id);
    expect(error!.details!.typeUrl).to.equal('type.googleapis.com/event_store.client.WrongExpectedVersion');
  });

  it('refuses bytes that are no message', () => {
    for (const broken of [[0x0a, 0x05, 1], [0x0b], [0x08, 0xff]]) {
      expect(() => readBatchPart(Buffer.from(broken))).to.throw(RangeError);
    }
  });
});
