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
import type { Metrics } from '../metrics.ts';
import { answerAppend } from './append-call.ts';
import { createAppender } from './appender.ts';
import { answerBatchAppend } from './batch-append-call.ts';
import { checkCredentials, type CredentialCheck } from './credentials.ts';
import { answerDelete, answerTombstone } from './delete-call.ts';
import { paceWrites } from './paced-writer.ts';
import { answerRead } from './read-call.ts';
import { parseReadRequest } from './read-request.ts';
import { shuttingDown, toStatus } from './refusals.ts';
import { clusterOfOne, supportedMethods } from './server-facts.ts';
import { answerSubscription } from './subscribe-call.ts';
import { addUnimplemented } from './unimplemented.ts';

export type ServerOptions = {
  host: string;
  port: number;
  /** The most bytes one append may have. */
  maxAppendBytes: number;
  /** `user:password` pairs that may use the streams; everyone when empty. */
  credentials: readonly string[];
  /** PEM texts; plain text when missing. */
  tls?: { certificate: Buffer; key: Buffer } | undefined;
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
/** How long calls may take to end by themselves at the end, in milliseconds. */
const patience = 100;

const unary =
  <Request, Reply>(
    check: CredentialCheck,
    answer: (request: Request) => Promise<Reply> | Reply,
  ): handleUnaryCall<Request, Reply> =>
  (call, reply) => {
    const run = async (): Promise<Reply> => {
      check(call.metadata);
      return answer(call.request);
    };
    run().then(
      (value) => reply(null, value),
      (error: unknown) => reply(toStatus(error)),
    );
  };

/** Answers reads and subscriptions; `stop` ends those that are open. */
const createReads = (store: EventStore, metrics: Metrics, check: CredentialCheck) => {
  const open = new Set<(error: unknown) => void>();
  const read = (call: ServerWritableStream<ReadReq, Buffer>): void => {
    let over = false;
    const finish = (error?: unknown): void => {
      if (over) return;
      over = true;
      open.delete(finish);
      if (error === undefined) call.end();
      else call.emit('error', toStatus(error));
    };
    open.add(finish);
    const writer = paceWrites(call, metrics.sent);
    const answer = async (): Promise<void> => {
      check(call.metadata);
      const request = parseReadRequest(call.request);
      if (request.limit !== undefined) {
        metrics.read(request.target.kind);
        return answerRead(store, request, writer);
      }
      const unsubscribed = metrics.subscribed();
      return answerSubscription(store, request, writer).finally(unsubscribed);
    };
    answer().then(() => finish(), finish);
  };
  const stop = (): void => {
    for (const finish of open) finish(shuttingDown());
  };
  return { read, stop };
};

const credentialsOf = ({ tls }: ServerOptions): ServerCredentials =>
  tls === undefined
    ? ServerCredentials.createInsecure()
    : ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.key }]);

/** Serves a store over gRPC; rejects when the address is taken. */
export const startServer = async (store: EventStore, metrics: Metrics, options: ServerOptions): Promise<NodeServer> => {
  const server = new Server({
    'grpc.max_receive_message_length': largestMessage,
    'grpc.max_send_message_length': largestMessage,
  });
  const check = checkCredentials(options.credentials);
  const open = (): void => undefined;
  const reads = createReads(store, metrics, check);
  const appends = createAppender(store, metrics, options.maxAppendBytes);
  const streams: UntypedServiceImplementation = {
    read: reads.read,
    append: (call: ServerReadableStream<AppendReq, AppendResp>, reply: sendUnaryData<AppendResp>) =>
      answerAppend(appends, check, call, reply),
    batchAppend: (call: ServerDuplexStream<Buffer, Buffer>) => answerBatchAppend(appends, check, call),
    delete: unary(check, answerDelete.bind(undefined, store)),
    tombstone: unary(check, answerTombstone.bind(undefined, store)),
  };
  server.addService(streamsService, streams);
  // Clients ask these before they have credentials to send.
  server.addService(ServerFeaturesService, { getSupportedMethods: unary(open, supportedMethods) });
  server.addService(GossipService, { read: unary(open, () => clusterOfOne(options.host, port)) });
  addUnimplemented(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, credentialsOf(options), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    close: async () => {
      reads.stop();
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), patience);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
};
