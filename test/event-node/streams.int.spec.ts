import { randomUUID } from 'node:crypto';
import {
  ANY,
  BACKWARDS,
  binaryEvent,
  END,
  jsonEvent,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { allOf, counted, freshStream, numbersIn, rejection, span, useEventNode } from './node-under-test.ts';

describe('event node: streams', () => {
  const part = useEventNode();
  let client: EventStoreDBClient;
  let stream: string;
  before(() => (client = part.client()));
  beforeEach(() => (stream = freshStream()));

  describe('appends', () => {
    it('answer the last revision and its position', async () => {
      const first = await client.appendToStream(stream, counted(3), { expectedRevision: NO_STREAM });
      const second = await client.appendToStream(stream, counted(1), { expectedRevision: 2n });
      expect(first).to.include({ success: true, nextExpectedRevision: 2n });
      expect(second.nextExpectedRevision).to.equal(3n);
      expect(second.position!.commit).to.equal(first.position!.commit + 1n);
    });

    it('keep ids, types, data, metadata and time', async () => {
      const json = jsonEvent({
        id: randomUUID(),
        type: 'Größe',
        data: { a: ['ü', 1] },
        metadata: { $correlationId: 'c' },
      });
      const binary = binaryEvent({ type: 'Bytes', data: Uint8Array.of(0, 255, 3), metadata: Uint8Array.of(9, 200) });
      const before = Date.now();
      await client.appendToStream('strøm-1', [json, binary]);
      const events = [];
      for await (const { event } of client.readStream('strøm-1')) events.push(event!);
      expect(events[0]).to.deep.include({
        id: json.id,
        type: 'Größe',
        streamId: 'strøm-1',
        isJson: true,
        revision: 0n,
      });
      expect(events[0]!.data).to.deep.equal(json.data);
      expect(events[0]!.metadata).to.deep.equal({ $correlationId: 'c' });
      expect(events[0]!.created.getTime()).to.be.within(before, Date.now());
      expect(events[1]).to.include({ isJson: false, type: 'Bytes' });
      expect([...(events[1]!.data as Uint8Array)]).to.deep.equal([0, 255, 3]);
      expect([...(events[1]!.metadata as Uint8Array)]).to.deep.equal([9, 200]);
    });

    for (const credentials of [undefined, { username: 'admin', password: 'changeit' }]) {
      describe(credentials === undefined ? 'in batches' : 'one by one', () => {
        const append = (count: number, expectedRevision: bigint | 'any' | 'no_stream' | 'stream_exists') =>
          client.appendToStream(stream, counted(count), { expectedRevision, ...(credentials && { credentials }) });

        it('are refused with both revisions when the stream is elsewhere', async () => {
          await append(2, ANY);
          for (const expected of [NO_STREAM, 0n, 7n] as const) {
            expect(await rejection(append(1, expected))).to.include({
              type: 'wrong-expected-version',
              streamName: stream,
              expectedVersion: expected,
              actualVersion: 1n,
            });
          }
        });

        it('are refused when there is no stream but should be', async () => {
          for (const expected of [STREAM_EXISTS, 0n] as const) {
            expect(await rejection(append(1, expected))).to.include({
              type: 'wrong-expected-version',
              expectedVersion: expected,
              actualVersion: 'no_stream',
            });
          }
        });

        it('are taken when the stream exists', async () => {
          await append(1, NO_STREAM);
          expect((await append(1, STREAM_EXISTS)).nextExpectedRevision).to.equal(1n);
        });

        it('are refused when too large', async () => {
          const event = jsonEvent({ type: 'Large', data: { text: 'x'.repeat(1024 * 1024) } });
          const large = client.appendToStream(stream, event, { ...(credentials && { credentials }) });
          expect(await rejection(large)).to.include({
            type: 'maximum-append-size-exceeded',
            maxAppendSize: 1024 * 1024,
          });
        });

        it('are refused after a tombstone', async () => {
          await append(1, ANY);
          await client.tombstoneStream(stream);
          expect(await rejection(append(1, ANY))).to.include({ type: 'stream-deleted', streamName: stream });
        });
      });
    }

    it('can be told without an error when so configured', async () => {
      const { EventStoreDBClient: Client } = await import('@eventstore/db-client');
      const quiet = Client.connectionString(`${part.node().url}&throwOnAppendFailure=false`);
      await quiet.appendToStream(stream, counted(1), { expectedRevision: NO_STREAM });
      expect((await quiet.appendToStream(stream, counted(1), { expectedRevision: NO_STREAM })).success).to.equal(false);
      await quiet.dispose();
    });

    it('keep their order when many are under way', async () => {
      const writes = span(0, 199).map((n) => client.appendToStream(stream, counted(1, n)));
      const revisions = (await Promise.all(writes)).map((result) => Number(result.nextExpectedRevision));
      expect(revisions).to.deep.equal(span(0, 199));
      expect(await numbersIn(client.readStream(stream))).to.deep.equal(span(0, 199));
    });

    it('come in several messages when they are large', async () => {
      const events = span(0, 9).map((n) => jsonEvent({ type: 'Part', data: { n, text: 'y'.repeat(50_000) } }));
      await client.appendToStream(stream, events, { batchAppendSize: 120_000 });
      expect(await numbersIn(client.readStream(stream))).to.deep.equal(span(0, 9));
    });

    it('are refused when their deadline has passed', async () => {
      const late = client.appendToStream(stream, counted(1), { deadline: -1000 });
      expect(await rejection(late)).to.include({ type: 'deadline-exceeded' });
      expect(await rejection(numbersIn(client.readStream(stream)))).to.include({ type: 'stream-not-found' });
    });
  });

  describe('a repeated append', () => {
    for (const expected of [ANY, NO_STREAM, STREAM_EXISTS, 0n] as const) {
      it(`is recognised with ${expected}`, async () => {
        const before = expected === STREAM_EXISTS || expected === 0n ? 1 : 0;
        if (before > 0) await client.appendToStream(stream, counted(1, 100));
        const events = counted(2);
        const first = await client.appendToStream(stream, events, { expectedRevision: expected });
        await client.appendToStream(stream, counted(1, 200));
        const again = await client.appendToStream(stream, events, { expectedRevision: expected });
        expect(again).to.deep.equal(first);
        expect(await numbersIn(client.readStream(stream))).to.have.lengthOf(before + 3);
      });
    }

    it('is refused when only its beginning is there', async () => {
      const events = counted(3);
      await client.appendToStream(stream, events.slice(0, 2), { expectedRevision: NO_STREAM });
      for (const expectedRevision of [NO_STREAM, ANY] as const) {
        const again = client.appendToStream(stream, events, { expectedRevision });
        expect(await rejection(again)).to.include({ type: 'wrong-expected-version', actualVersion: 1n });
      }
    });

    it('is stored once when both are under way', async () => {
      const event = counted(1);
      const results = await Promise.all(span(1, 20).map(() => client.appendToStream(stream, event)));
      expect(new Set(results.map((result) => result.position!.commit)).size).to.equal(1);
      expect(await numbersIn(client.readStream(stream))).to.deep.equal([0]);
    });

    it('counts as new in another stream', async () => {
      const event = counted(1);
      await client.appendToStream(stream, event);
      const other = freshStream();
      await client.appendToStream(other, event);
      expect(await numbersIn(client.readStream(other))).to.deep.equal([0]);
    });
  });

  describe('reads of a stream', () => {
    beforeEach(() => client.appendToStream(stream, counted(10)));
    const read = (options: Parameters<EventStoreDBClient['readStream']>[1]) =>
      numbersIn(client.readStream(stream, options));

    it('go forwards', async () => {
      expect(await read({ fromRevision: START })).to.deep.equal(span(0, 9));
      expect(await read({ fromRevision: 4n, maxCount: 3 })).to.deep.equal([4, 5, 6]);
      expect(await read({ fromRevision: 10n })).to.deep.equal([]);
      expect(await read({ fromRevision: END })).to.deep.equal([]);
    });

    it('go backwards', async () => {
      expect(await read({ direction: BACKWARDS, fromRevision: END, maxCount: 2 })).to.deep.equal([9, 8]);
      expect(await read({ direction: BACKWARDS, fromRevision: 2n })).to.deep.equal([2, 1, 0]);
      expect(await read({ direction: BACKWARDS, fromRevision: START })).to.deep.equal([0]);
    });

    it('say when there is no such stream', async () => {
      const missing = freshStream();
      const error = await rejection(numbersIn(client.readStream(missing)));
      expect(error).to.include({ type: 'stream-not-found', streamName: missing });
    });
  });

  describe('reads of $all', () => {
    const own = (names: readonly string[]) => async (options: Parameters<EventStoreDBClient['readAll']>[0]) => {
      const found: number[] = [];
      for await (const { event } of client.readAll(options)) {
        if (event !== undefined && names.includes(event.streamId)) found.push((event.data as { n: number }).n);
      }
      return found;
    };

    it('go both ways from a position', async () => {
      const other = freshStream();
      await client.appendToStream(stream, counted(2, 0));
      const { position } = await client.appendToStream(other, counted(1, 2));
      await client.appendToStream(stream, counted(2, 3));
      const read = own([stream, other]);
      const fromPosition = position!;
      expect(await read({})).to.deep.equal([0, 1, 2, 3, 4]);
      expect(await read({ fromPosition })).to.deep.equal([2, 3, 4]);
      expect(await read({ fromPosition, maxCount: 2 })).to.deep.equal([2, 3]);
      expect(await read({ direction: BACKWARDS, fromPosition: END })).to.deep.equal([4, 3, 2, 1, 0]);
      expect(await read({ direction: BACKWARDS, fromPosition, maxCount: 1 })).to.deep.equal([1]);
      expect(await read({ fromPosition: END })).to.deep.equal([]);
    });

    it('give every position once, without gaps', async () => {
      const positions: bigint[] = [];
      for await (const { event } of client.readAll()) positions.push(event!.position.commit);
      expect(positions.map(Number)).to.deep.equal(span(1, positions.length));
    });
  });

  describe('metadata', () => {
    beforeEach(() => client.appendToStream(stream, counted(10)));
    const read = (options = {}) => numbersIn(client.readStream(stream, options));

    it('is stored and read back', async () => {
      const metadata = { maxCount: 7, acl: { readRoles: ['$admins'] }, custom: { a: 1 } };
      await client.setStreamMetadata(stream, metadata);
      expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal(metadata);
      await client.setStreamMetadata(stream, { maxCount: 3 });
      expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ maxCount: 3 });
    });

    it('limits a stream by count', async () => {
      await client.setStreamMetadata(stream, { maxCount: 3 });
      expect(await read()).to.deep.equal([7, 8, 9]);
      expect(await read({ direction: BACKWARDS, fromRevision: END })).to.deep.equal([9, 8, 7]);
      await client.appendToStream(stream, counted(1, 10));
      expect(await read({ fromRevision: 2n, maxCount: 2 })).to.deep.equal([8, 9]);
    });

    it('truncates a stream', async () => {
      await client.setStreamMetadata(stream, { truncateBefore: 8 });
      expect(await read()).to.deep.equal([8, 9]);
      await client.setStreamMetadata(stream, { truncateBefore: 20 });
      expect(await read()).to.deep.equal([]);
    });

    it('lets events grow too old', async () => {
      await client.setStreamMetadata(stream, { maxAge: 3600 });
      expect(await read()).to.deep.equal(span(0, 9));
      await client.setStreamMetadata(stream, { maxAge: 0 });
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(await read()).to.deep.equal([]);
    });
  });

  describe('deletion', () => {
    beforeEach(() => client.appendToStream(stream, counted(3)));
    const read = () => numbersIn(client.readStream(stream));

    it('hides a stream, which may begin again', async () => {
      await client.deleteStream(stream, { expectedRevision: 2n });
      expect(await rejection(read())).to.include({ type: 'stream-not-found' });
      const again = await client.appendToStream(stream, counted(2, 10), { expectedRevision: NO_STREAM });
      expect(again.nextExpectedRevision).to.equal(4n);
      expect(await read()).to.deep.equal([10, 11]);
      expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ truncateBefore: 3 });
    });

    it('is undone by new metadata', async () => {
      await client.deleteStream(stream);
      await client.setStreamMetadata(stream, { maxCount: 5 });
      await client.appendToStream(stream, counted(1, 10), { expectedRevision: 2n });
      expect(await read()).to.deep.equal([10]);
      expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ maxCount: 5, truncateBefore: 3 });
    });

    it('asks for the expected revision', async () => {
      expect(await rejection(client.deleteStream(stream, { expectedRevision: 1n }))).to.include({
        type: 'wrong-expected-version',
        expectedVersion: 1n,
        actualVersion: 2n,
      });
      expect(await read()).to.deep.equal([0, 1, 2]);
    });

    it('with a tombstone is for ever', async () => {
      const { position } = await client.tombstoneStream(stream, { expectedRevision: 2n });
      expect(await rejection(read())).to.include({ type: 'stream-deleted', streamName: stream });
      expect(await rejection(client.deleteStream(stream))).to.include({ type: 'stream-deleted' });
      const [last] = await allOf(client.readAll({ fromPosition: position!, maxCount: 1 }));
      expect(last!.event).to.include({ type: '$streamDeleted', streamId: stream, revision: 2n ** 63n - 1n });
    });
  });

  describe('links', () => {
    it('are followed when asked', async () => {
      await client.appendToStream(stream, counted(2));
      const links = freshStream();
      const link = (target: string) => binaryEvent({ type: '$>', data: Buffer.from(target) });
      await client.appendToStream(links, [link(`1@${stream}`), link(`9@${stream}`)]);
      const [found, dangling] = await allOf(client.readStream(links, { resolveLinkTos: true }));
      expect(found!.event).to.deep.include({ streamId: stream, revision: 1n, data: { n: 1 } });
      expect(found!.link).to.include({ streamId: links, type: '$>' });
      expect(dangling!.event).to.equal(undefined);
      const [plain] = await allOf(client.readStream(links, { maxCount: 1 }));
      expect(plain!.event).to.include({ type: '$>', revision: 0n });
    });
  });
});
