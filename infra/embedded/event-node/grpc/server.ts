import {
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { EventStore } from '../streams/event-store.ts';
import {
  GossipService,
  ServerFeaturesService,
  StreamsService,
  type AppendReq,
  type AppendResp,
  type ReadReq,
} from '../wire/protocol.ts';
import { answerAppend } from './append-call.ts';
import { answerBatchAppend } from './batch-append-call.ts';
import { answerDelete, answerTombstone } from './delete-call.ts';
import { paceWrites } from './paced-writer.ts';
import { answerRead } from './read-call.ts';
import { parseReadRequest } from './read-request.ts';
import { shuttingDown, toStatus } from './refusals.ts';
import { clusterOfOne, supportedMethods } from './server-facts.ts';
import { answerSubscription } from './subscribe-call.ts';

export type ServerOptions = {
  host: string;
  port: number;
  /** The most bytes one append may have. */
  maxAppendBytes: number;
};

export type NodeServer = {
  port: number;
  /** Ends every call, telling clients to look elsewhere. */
  close: () => Promise<void>;
};

// The store keeps events as they go over the wire, so these messages pass as bytes.
const asBytes = (bytes: Buffer): Buffer => bytes;
const streamsService = {
  ...StreamsService,
  read: { ...StreamsService.read, responseSerialize: asBytes },
  batchAppend: { ...StreamsService.batchAppend, requestDeserialize: asBytes, responseSerialize: asBytes },
};
const largestMessage = 17 * 1024 * 1024;

const unary =
  <Request, Reply>(answer: (request: Request) => Promise<Reply> | Reply): handleUnaryCall<Request, Reply> =>
  (call, reply) => {
    const run = async (): Promise<Reply> => answer(call.request);
    run().then(
      (value) => reply(null, value),
      (error: unknown) => reply(toStatus(error)),
    );
  };

/** Serves a store over gRPC; rejects when the address is taken. */
export const startServer = async (store: EventStore, options: ServerOptions): Promise<NodeServer> => {
  const server = new Server({
    'grpc.max_receive_message_length': largestMessage,
    'grpc.max_send_message_length': largestMessage,
  });
  const readers = new Set<(error: unknown) => void>();
  const read = (call: ServerWritableStream<ReadReq, Buffer>): void => {
    let over = false;
    const finish = (error?: unknown): void => {
      if (over) return;
      over = true;
      readers.delete(finish);
      if (error === undefined) call.end();
      else call.emit('error', toStatus(error));
    };
    readers.add(finish);
    const writer = paceWrites(call);
    const answer = async (): Promise<void> => {
      const request = parseReadRequest(call.request);
      await (request.limit === undefined ? answerSubscription : answerRead)(store, request, writer);
    };
    answer().then(() => finish(), finish);
  };
  const streams: UntypedServiceImplementation = {
    read,
    append: (call: ServerReadableStream<AppendReq, AppendResp>, reply: sendUnaryData<AppendResp>) =>
      answerAppend(store, options.maxAppendBytes, call, reply),
    batchAppend: (call: ServerDuplexStream<Buffer, Buffer>) => answerBatchAppend(store, options.maxAppendBytes, call),
    delete: unary(answerDelete.bind(undefined, store)),
    tombstone: unary(answerTombstone.bind(undefined, store)),
  };
  server.addService(streamsService, streams);
  server.addService(ServerFeaturesService, { getSupportedMethods: unary(supportedMethods) });
  server.addService(GossipService, { read: unary(() => clusterOfOne(options.host, port)) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    close: async () => {
      for (const finish of readers) finish(shuttingDown());
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), 500);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
};
