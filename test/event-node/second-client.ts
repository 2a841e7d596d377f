import {
  BACKWARDS,
  END,
  jsonEvent,
  KurrentDBClient,
  NO_STREAM,
  START,
  streamNameFilter,
  type ResolvedEvent,
} from '@kurrent/kurrentdb-client';

// Uses every kind of call of the successor of the client and prints what came of each. A program of its own: the
// generated code of the two clients cannot live in one process.

const [url = ''] = process.argv.slice(2);
const client = KurrentDBClient.connectionString(url);

const counted = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => jsonEvent({ type: 'Counted', data: { n: from + at } }));
const numberOf = ({ event }: ResolvedEvent): number => (event?.data as { n: number }).n;
const numbers = async (events: AsyncIterable<ResolvedEvent>): Promise<number[]> => {
  const found: number[] = [];
  for await (const event of events) found.push(numberOf(event));
  return found;
};
const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: unknown) => String((error as { type?: string }).type),
  );
const take = async (events: AsyncIterable<ResolvedEvent>, count: number): Promise<number[]> => {
  const found: number[] = [];
  for await (const event of events) {
    found.push(numberOf(event));
    if (found.length === count) break;
  }
  return found;
};

const filter = streamNameFilter({ prefixes: ['one'] });
const appended = await client.appendToStream('one', counted(5), { streamState: NO_STREAM });
await client.appendToStream('other', counted(3, 10));
const live = Promise.all([
  take(client.subscribeToStream('one', { fromRevision: 1n }), 5),
  take(client.subscribeToAll({ fromPosition: START, filter }), 7),
]);
await client.appendToStream('one', counted(2, 5), { streamState: 4n });
const [toStream, toAll] = await live;
const result = {
  revision: String(appended.nextExpectedRevision),
  forwards: await numbers(client.readStream('one')),
  backwards: await numbers(client.readStream('one', { direction: BACKWARDS, fromRevision: END, maxCount: 2 })),
  conflict: await refusal(client.appendToStream('one', counted(1), { streamState: NO_STREAM })),
  missing: await refusal(numbers(client.readStream('missing'))),
  filtered: await numbers(client.readAll({ filter, maxCount: 2 })),
  filteredBackwards: await numbers(client.readAll({ filter, direction: BACKWARDS, fromPosition: END, maxCount: 2 })),
  toStream,
  toAll,
  metadata: await client.setStreamMetadata('one', { maxCount: 2 }).then(() => client.getStreamMetadata('one')),
  limited: await numbers(client.readStream('one')),
  deleted: await client.deleteStream('one').then(() => refusal(numbers(client.readStream('one')))),
  tombstoned: await client.tombstoneStream('other').then(() => refusal(numbers(client.readStream('other')))),
};
console.log(JSON.stringify({ ...result, metadata: result.metadata.metadata }));
await client.dispose();
process.exit(0);
