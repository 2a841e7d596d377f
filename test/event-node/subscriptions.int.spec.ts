import {
  END,
  eventTypeFilter,
  jsonEvent,
  START,
  streamNameFilter,
  type AllStreamSubscription,
  type EventStoreDBClient,
  type Filter,
  type Position,
  type StreamSubscription,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { allOf, counted, freshStream, rejection, span, until, useEventNode } from './node-under-test.ts';

type Seen = { numbers: number[]; caughtUp: number; fellBehind: number; error: unknown };

/** Watches a subscription; only streams of the given prefix count. */
const watch = (subscription: AllStreamSubscription | StreamSubscription, prefix = ''): Seen => {
  const seen: Seen = { numbers: [], caughtUp: 0, fellBehind: 0, error: undefined };
  subscription.on('data', ({ event }) => {
    if (event?.streamId.startsWith(prefix)) seen.numbers.push((event.data as { n: number }).n);
  });
  subscription.on('caughtUp', () => (seen.caughtUp += 1));
  subscription.on('fellBehind', () => (seen.fellBehind += 1));
  subscription.on('error', (error: unknown) => (seen.error = error));
  return seen;
};

describe('event node: subscriptions', () => {
  const part = useEventNode(['--http-port', '0']);
  let client: EventStoreDBClient;
  let stream: string;
  before(() => (client = part.client()));
  beforeEach(() => (stream = freshStream()));

  describe('to a stream', () => {
    it('send what is there, say so, and go on with what comes', async () => {
      await client.appendToStream(stream, counted(5));
      const subscription = client.subscribeToStream(stream, { fromRevision: START });
      let confirmed = false;
      subscription.on('confirmation', () => (confirmed = true));
      const seen = watch(subscription);
      await until(() => seen.caughtUp === 1);
      expect(confirmed).to.equal(true);
      expect(seen.numbers).to.deep.equal(span(0, 4));
      await client.appendToStream(stream, counted(3, 5));
      await until(() => seen.numbers.length === 8);
      expect(seen.numbers).to.deep.equal(span(0, 7));
      await subscription.unsubscribe();
    });

    it('begin after a revision, or at the end', async () => {
      await client.appendToStream(stream, counted(5));
      const after = client.subscribeToStream(stream, { fromRevision: 2n });
      const end = client.subscribeToStream(stream, { fromRevision: END });
      const [seenAfter, seenEnd] = [watch(after), watch(end)];
      await until(() => seenAfter.caughtUp === 1 && seenEnd.caughtUp === 1);
      await client.appendToStream(stream, counted(1, 5));
      await until(() => seenAfter.numbers.length === 3 && seenEnd.numbers.length === 1);
      expect([seenAfter.numbers, seenEnd.numbers]).to.deep.equal([[3, 4, 5], [5]]);
      await Promise.all([after.unsubscribe(), end.unsubscribe()]);
    });

    it('wait for a stream that does not exist, and survive its deletion', async () => {
      const subscription = client.subscribeToStream(stream);
      const seen = watch(subscription);
      await until(() => seen.caughtUp === 1);
      await client.appendToStream(stream, counted(2));
      await until(() => seen.numbers.length === 2);
      await client.deleteStream(stream);
      await client.appendToStream(stream, counted(2, 2));
      await until(() => seen.numbers.length === 4);
      expect(seen.numbers).to.deep.equal([0, 1, 2, 3]);
      await subscription.unsubscribe();
    });

    it('end with a tombstone', async () => {
      await client.appendToStream(stream, counted(1));
      const subscription = client.subscribeToStream(stream);
      const seen = watch(subscription);
      await until(() => seen.caughtUp === 1);
      await client.tombstoneStream(stream);
      await until(() => seen.error !== undefined);
      expect(seen.error).to.include({ type: 'stream-deleted', streamName: stream });
    });

    it('lose and repeat nothing while it is written', async () => {
      const writing = Promise.all(span(0, 299).map((n) => client.appendToStream(stream, counted(1, n))));
      const subscriptions = span(1, 5).map(() => client.subscribeToStream(stream));
      const seen = subscriptions.map((subscription) => watch(subscription));
      await writing;
      await until(() => seen.every(({ numbers }) => numbers.length >= 300));
      for (const { numbers } of seen) expect(numbers).to.deep.equal(span(0, 299));
      await Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
    });
  });

  describe('to $all', () => {
    const subscribe = (filter: Filter, fromPosition: Position | typeof START | typeof END = START) =>
      client.subscribeToAll({ filter, fromPosition });

    it('go on after a position', async () => {
      const { position } = await client.appendToStream(stream, counted(1));
      await client.appendToStream(stream, counted(2, 1));
      const subscription = client.subscribeToAll({ fromPosition: position! });
      const seen = watch(subscription, stream);
      await until(() => seen.caughtUp === 1);
      await client.appendToStream(stream, counted(1, 3));
      await until(() => seen.numbers.length === 3);
      expect(seen.numbers).to.deep.equal([1, 2, 3]);
      await subscription.unsubscribe();
    });

    it('take only streams by prefix or expression', async () => {
      const [one, other] = [freshStream('alpha'), freshStream('beta')];
      const byPrefix = subscribe(streamNameFilter({ prefixes: [one, 'nothing-'] }), END);
      const byRegex = subscribe(streamNameFilter({ regex: '^beta-' }), END);
      const [prefixed, matched] = [watch(byPrefix), watch(byRegex)];
      await until(() => prefixed.caughtUp === 1 && matched.caughtUp === 1);
      await client.appendToStream(one, counted(2, 10));
      await client.appendToStream(other, counted(2, 20));
      await until(() => prefixed.numbers.length >= 2 && matched.numbers.length >= 2);
      expect([prefixed.numbers, matched.numbers]).to.deep.equal([
        [10, 11],
        [20, 21],
      ]);
      await Promise.all([byPrefix.unsubscribe(), byRegex.unsubscribe()]);
    });

    it('take only types by prefix or expression', async () => {
      const event = (type: string, n: number) => jsonEvent({ type, data: { n } });
      await client.appendToStream(stream, [event('OrderPlaced', 1), event('CartFilled', 2), event('OrderPaid', 3)]);
      const byPrefix = subscribe(eventTypeFilter({ prefixes: ['Order'] }));
      const byRegex = subscribe(eventTypeFilter({ regex: 'Filled$' }));
      const [prefixed, matched] = [watch(byPrefix), watch(byRegex)];
      await until(() => prefixed.caughtUp === 1 && matched.caughtUp === 1);
      expect([prefixed.numbers, matched.numbers]).to.deep.equal([[1, 3], [2]]);
      await Promise.all([byPrefix.unsubscribe(), byRegex.unsubscribe()]);
    });

    it('tell checkpoints to go on from', async () => {
      await client.appendToStream(stream, counted(100));
      const checkpoints: bigint[] = [];
      const checkpointReached = async (_: unknown, position: Position): Promise<void> => {
        checkpoints.push(position.commit);
        return Promise.resolve();
      };
      const filter = streamNameFilter({
        prefixes: ['none'],
        maxSearchWindow: 10,
        checkpointInterval: 2,
        checkpointReached,
      });
      const subscription = subscribe(filter);
      const seen = watch(subscription);
      await until(() => seen.caughtUp === 1);
      const gaps = checkpoints.map((position, at) => position - (checkpoints[at - 1] ?? 0n));
      expect(checkpoints.length).to.be.at.least(5);
      expect(gaps.slice(0, -1).every((gap) => gap === 20n)).to.equal(true);
      const before = checkpoints.length;
      await client.appendToStream(stream, counted(20, 100));
      await until(() => checkpoints.length > before);
      await subscription.unsubscribe();
    });

    it('refuse an expression that is none', async () => {
      const subscription = subscribe(streamNameFilter({ regex: '(' }));
      const error = await rejection(allOf<unknown>(subscription));
      expect(String(error['message'])).to.contain('regular expression');
    });

    it('do not run ahead of a slow reader', async () => {
      const sent = async (): Promise<number> => {
        const metrics = await (await fetch(`${part.node().httpUrl}/metrics`)).text();
        return Number(/^event_node_messages_sent_total (\d+)$/m.exec(metrics)![1]);
      };
      const text = 'z'.repeat(40_000);
      const slow = client.subscribeToAll({ fromPosition: END, filter: streamNameFilter({ prefixes: [stream] }) });
      await new Promise((resolve) => slow.once('caughtUp', resolve));
      const before = await sent();
      // More than the node keeps in memory, so that it has to go back to disk for what the reader left.
      for (let round = 0; round < 25; round++) {
        const numbers = span(round * 20, round * 20 + 19);
        await client.appendToStream(
          stream,
          numbers.map((n) => jsonEvent({ type: 'Big', data: { n, text } })),
        );
      }
      expect((await sent()) - before).to.be.within(1, 200);
      let fellBehind = 0;
      slow.on('fellBehind', () => (fellBehind += 1));
      const numbers: number[] = [];
      for await (const { event } of slow) {
        numbers.push((event!.data as { n: number }).n);
        if (numbers.length === 500) break;
      }
      expect(numbers).to.deep.equal(span(0, 499));
      expect(fellBehind).to.be.at.least(1);
    });
  });

  describe('of a node that stops', () => {
    const other = useEventNode();

    it('tell their readers', async () => {
      const subscription = other.client().subscribeToAll();
      const seen = watch(subscription);
      await until(() => seen.caughtUp === 1);
      await other.node().stop();
      await until(() => seen.error !== undefined);
      expect(seen.error).to.include({ type: 'unavailable' });
    });
  });
});
