import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { expect } from 'chai';
import { appendAnswer } from '../../infra/eventstore/wire/append-answer.ts';
import { appendRequest } from '../../infra/eventstore/wire/append-request.ts';
import { feedItemOf } from '../../infra/eventstore/wire/read-answer.ts';
import { NO_STREAM } from '../../src/kernel/event-store.ts';

const { BatchAppendReq, BatchAppendResp, ReadResp } = streamsPb;
const ID = '0198f7a2-4b1c-7d3e-8f90-a1b2c3d4e5f6';
const OTHER = 'f1e2d3c4-b5a6-4978-8877-665544332211';

const uuid = (text: string): InstanceType<typeof sharedPb.UUID> => {
  const message = new sharedPb.UUID();
  message.setString(text);
  return message;
};

/** The same id as two integers, which is how some servers send it back. */
const structured = (text: string): InstanceType<typeof sharedPb.UUID> => {
  const digits = text.replaceAll('-', '');
  const half = (hex: string): string => BigInt.asIntN(64, BigInt(`0x${hex}`)).toString();
  const bits = new sharedPb.UUID.Structured();
  bits.setMostSignificantBits(half(digits.slice(0, 16)));
  bits.setLeastSignificantBits(half(digits.slice(16)));
  const message = new sharedPb.UUID();
  message.setStructured(bits);
  return message;
};

const bytesField = (field: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([(field << 3) | 2, content.length]), content]);
const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text));

const bytes = (message: Readonly<{ serializeBinary: () => Uint8Array }>): Buffer =>
  Buffer.from(message.serializeBinary());

describe('appends as the generated code reads them', () => {
  const events = [
    { id: ID, type: 'FundsReserved', data: { amount: '12', note: 'ß → 🌊' }, metadata: { hash: 'ä' } },
    { id: OTHER, type: 'Größe', data: { text: 'x'.repeat(70_000) }, metadata: undefined },
  ];
  const written = (expected: bigint | 'any') =>
    BatchAppendReq.deserializeBinary(
      appendRequest({ correlation: OTHER, stream: 'creditAccount-ü', expected, events, deadline: 1_760_000_000_123 }),
    );

  it('carries every event with its type, id, data and metadata', () => {
    const request = written('any');
    expect(request.getCorrelationId()?.getString()).to.equal(OTHER);
    expect(request.getIsFinal()).to.equal(true);
    const read = request.getProposedMessagesList().map((message) => ({
      id: message.getId()?.getString(),
      type: message.getMetadataMap().get('type'),
      contentType: message.getMetadataMap().get('content-type'),
      data: JSON.parse(Buffer.from(message.getData_asU8()).toString()) as unknown,
      metadata: Buffer.from(message.getCustomMetadata_asU8()).toString(),
    }));
    expect(read).to.deep.equal(
      events.map(({ id, type, data, metadata }) => ({
        ...{ id, type, data, contentType: 'application/json' },
        metadata: metadata === undefined ? '' : JSON.stringify(metadata),
      })),
    );
  });

  it('says where, by when and at which revision', () => {
    const options = written(7n).getOptions();
    expect(Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString()).to.equal(
      'creditAccount-ü',
    );
    expect(options?.getDeadline()?.toDate().getTime()).to.equal(1_760_000_000_123);
    expect(options?.getStreamPosition()).to.equal('7');
  });

  it('tells each expectation from the others', () => {
    const { ExpectedStreamPositionCase: Case } = BatchAppendReq.Options;
    const caseOf = (expected: bigint | 'any') => written(expected).getOptions()?.getExpectedStreamPositionCase();
    expect([caseOf('any'), caseOf(NO_STREAM), caseOf(0n), caseOf(70_000n)]).to.deep.equal([
      Case.ANY,
      Case.NO_STREAM,
      Case.STREAM_POSITION,
      Case.STREAM_POSITION,
    ]);
    expect(written(0n).getOptions()?.getStreamPosition()).to.equal('0');
    expect(written(70_000n).getOptions()?.getStreamPosition()).to.equal('70000');
  });
});

describe('answers to appends as the generated code writes them', () => {
  const stored = (correlation: InstanceType<typeof sharedPb.UUID>): Buffer => {
    const success = new BatchAppendResp.Success();
    success.setCurrentRevision('0');
    const position = new sharedPb.AllStreamPosition();
    position.setCommitPosition('9007199254740000');
    position.setPreparePosition('12');
    success.setPosition(position);
    const answer = new BatchAppendResp();
    answer.setCorrelationId(correlation);
    answer.setSuccess(success);
    return bytes(answer);
  };
  const refused = (type: string): Buffer => {
    const details = textField(1, `type.googleapis.com/${type}`);
    const error = statusPb.Status.deserializeBinary(Buffer.concat([textField(2, 'no'), bytesField(3, details)]));
    const answer = new BatchAppendResp();
    answer.setCorrelationId(uuid(OTHER));
    answer.setError(error);
    return bytes(answer);
  };

  it('knows what was stored and where, by either form of the id', () => {
    const expected = {
      kind: 'stored',
      correlation: OTHER,
      revision: 0n,
      position: { commit: 9007199254740000n, prepare: 12n },
    };
    expect(appendAnswer(stored(uuid(OTHER)))).to.deep.equal(expected);
    expect(appendAnswer(stored(structured(OTHER)))).to.deep.equal(expected);
  });

  it('tells a conflict from other failures', () => {
    const conflict = appendAnswer(refused('event_store.client.WrongExpectedVersion'));
    expect(conflict).to.deep.equal({ kind: 'conflict', correlation: OTHER });
    const failed = appendAnswer(refused('event_store.client.Timeout'));
    expect(failed).to.deep.equal({ kind: 'failed', correlation: OTHER, reason: 'event_store.client.Timeout no' });
  });

  it('throws on bytes that are no message', () => {
    expect(() => appendAnswer(Buffer.from([0x0a, 0x40, 0x01]))).to.throw(RangeError);
  });
});

describe('events as the generated code writes them', () => {
  const recorded = (contentType: string, data: Buffer, id = uuid(ID)): Buffer => {
    const record = new ReadResp.ReadEvent.RecordedEvent();
    const name = new sharedPb.StreamIdentifier();
    name.setStreamName(Buffer.from('creditAccount-ü').toString('base64'));
    record.setId(id);
    record.setStreamIdentifier(name);
    record.setStreamRevision('300');
    record.setPreparePosition('5000000000');
    record.setCommitPosition('5000000001');
    record.getMetadataMap().set('type', 'Größe').set('content-type', contentType).set('created', '17600000001230000');
    record.setCustomMetadata(Buffer.from('{"hash":"h"}').toString('base64'));
    record.setData(data.toString('base64'));
    const event = new ReadResp.ReadEvent();
    event.setEvent(record);
    event.setCommitPosition('5000000001');
    const answer = new ReadResp();
    answer.setEvent(event);
    return bytes(answer);
  };
  const event = {
    id: ID,
    stream: 'creditAccount-ü',
    revision: 300n,
    type: 'Größe',
    data: { note: 'ß → 🌊' },
    metadata: { hash: 'h' },
    created: new Date(1_760_000_000_123),
    position: { commit: 5_000_000_001n, prepare: 5_000_000_000n },
  };
  const json = Buffer.from(JSON.stringify(event.data));

  it('reads every part of an event, by either form of its id', () => {
    expect(feedItemOf(recorded('application/json', json))).to.deep.equal({ kind: 'event', event });
    expect(feedItemOf(recorded('application/json', json, structured(ID)))).to.deep.equal({ kind: 'event', event });
  });

  it('hands on what is no JSON as it is', () => {
    const raw = Buffer.from([1, 2, 3]);
    const binary = feedItemOf(recorded('application/octet-stream', raw));
    expect(binary).to.deep.equal({ kind: 'event', event: { ...event, data: raw } });
    const broken = feedItemOf(recorded('application/json', Buffer.from('{')));
    expect(broken).to.deep.equal({ kind: 'event', event: { ...event, data: '{' } });
  });

  it('reads checkpoints and the news of having caught up, and passes over the rest', () => {
    const checkpoint = new ReadResp.Checkpoint();
    checkpoint.setCommitPosition('77');
    checkpoint.setPreparePosition('76');
    const passed = new ReadResp();
    passed.setCheckpoint(checkpoint);
    expect(feedItemOf(bytes(passed))).to.deep.equal({ kind: 'checkpoint', position: { commit: 77n, prepare: 76n } });
    const caughtUp = new ReadResp();
    caughtUp.setCaughtUp(new ReadResp.CaughtUp());
    expect(feedItemOf(bytes(caughtUp))).to.deep.equal({ kind: 'caught-up' });
    const confirmed = new ReadResp();
    const confirmation = new ReadResp.SubscriptionConfirmation();
    confirmation.setSubscriptionId('one');
    confirmed.setConfirmation(confirmation);
    expect(feedItemOf(bytes(confirmed))).to.equal(undefined);
  });
});
