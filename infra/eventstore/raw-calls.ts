import {
  Client,
  type CallOptions,
  type ClientDuplexStream,
  type ClientReadableStream,
  type Metadata,
} from '@grpc/grpc-js';
import type { EventStoreDBClient } from '@eventstore/db-client';

/** The client's own way to open calls, which it keeps for its subclasses: it finds the node, reconnects and authenticates. */
type Opener = Readonly<{
  GRPCStreamCreator: <T>(Kind: typeof Client, name: string, open: (client: Client) => T) => () => Promise<T>;
  callArguments: (options: Readonly<Record<string, never>>, callOptions: CallOptions) => [Metadata, CallOptions];
}>;

/** A call that carries appends one way and their answers the other. */
export type AppendCall = ClientDuplexStream<Buffer, Buffer>;

/** Calls whose messages are bytes, on the connection of the official client. */
export type RawCalls = Readonly<{
  append: () => Promise<AppendCall>;
  read: (request: Buffer) => Promise<ClientReadableStream<Buffer>>;
}>;

const SERVICE = '/event_store.client.streams.Streams';
const asBytes = (message: Buffer): Buffer => message;

/** Opens calls that no deadline ends. */
export const rawCallsOf = (client: EventStoreDBClient): RawCalls => {
  const opener = client as unknown as Opener;
  const open = <T>(name: string, make: (grpc: Client, metadata: Metadata, options: CallOptions) => T): Promise<T> =>
    opener.GRPCStreamCreator(Client, name, (grpc) => make(grpc, ...opener.callArguments({}, { deadline: Infinity })))();
  return {
    append: () =>
      open('append', (grpc, metadata, options) =>
        grpc.makeBidiStreamRequest(`${SERVICE}/BatchAppend`, asBytes, asBytes, metadata, options),
      ),
    read: (request) =>
      open('read', (grpc, metadata, options) =>
        grpc.makeServerStreamRequest(`${SERVICE}/Read`, asBytes, asBytes, request, metadata, options),
      ),
  };
};
