import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { BatchAppendReq, BatchAppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';

// The least a server of the protocol can do: decode, keep in memory, answer. What it reaches is the ceiling of
// client and protocol together, the measure for a server that also writes to disk.

const responses: ReadResp[] = [];
const revisions = new Map<string, number>();

const keep = (stream: string, event: BatchAppendReq.ProposedMessage): number => {
  const revision = (revisions.get(stream) ?? -1) + 1;
  const position = String(responses.length + 1);
  revisions.set(stream, revision);
  const record = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
    .setId(event.getId() ?? new sharedPb.UUID().setString(randomUUID()))
    .setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream)))
    .setStreamRevision(String(revision))
    .setPreparePosition(position)
    .setCommitPosition(position)
    .setCustomMetadata(event.getCustomMetadata_asU8())
    .setData(event.getData_asU8());
  event.getMetadataMap().forEach((value, name) => record.getMetadataMap().set(name, value));
  record.getMetadataMap().set('created', `${Date.now()}0000`);
  const read = new streamsPb.ReadResp.ReadEvent().setEvent(record).setCommitPosition(position);
  responses.push(new streamsPb.ReadResp().setEvent(read));
  return revision;
};

const batchAppend = (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
  call.on('data', (request: BatchAppendReq) => {
    const identifier = request.getOptions()?.getStreamIdentifier();
    const stream = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
    let revision = -1;
    for (const event of request.getProposedMessagesList()) revision = keep(stream, event);
    const position = new sharedPb.AllStreamPosition();
    position.setCommitPosition(String(responses.length)).setPreparePosition(String(responses.length));
    const success = new streamsPb.BatchAppendResp.Success().setCurrentRevision(String(revision)).setPosition(position);
    const reply = new streamsPb.BatchAppendResp().setCorrelationId(request.getCorrelationId()).setSuccess(success);
    call.write(identifier === undefined ? reply : reply.setStreamIdentifier(identifier));
  });
  call.on('end', () => call.end());
};

const read = async (call: ServerWritableStream<ReadReq, ReadResp>): Promise<void> => {
  for (const response of responses) {
    if (call.cancelled) return;
    if (!call.write(response)) await new Promise((resolve) => call.once('drain', resolve));
  }
  call.end();
};

const supportedMethods = () => {
  const method = new featuresPb.SupportedMethod();
  method.setServiceName('event_store.client.streams.streams').setMethodName('batchappend');
  const reply = new featuresPb.SupportedMethods().setEventStoreServerVersion('23.10.0');
  reply.addMethods(method);
  return reply;
};

const server = new Server();
server.addService(streamsGrpc.StreamsService, {
  batchAppend,
  read: (call: ServerWritableStream<ReadReq, ReadResp>) => void read(call),
});
server.addService(featuresGrpc.ServerFeaturesService, {
  getSupportedMethods: (_call: unknown, reply: (error: null, value: unknown) => void) =>
    reply(null, supportedMethods()),
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, port) => {
  process.send?.({ type: 'ready', port });
});
process.on('disconnect', () => process.exit(0));
