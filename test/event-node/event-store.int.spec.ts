import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { StorageRefusal } from '../../infra/embedded/event-node/log/event-log.ts';
import { createTailCache } from '../../infra/embedded/event-node/log/tail-cache.ts';
import { allocateStreamFilter, viewStreamFilter } from '../../infra/embedded/event-node/log/stream-filter.ts';
import { openEventStore, type EventStore } from '../../infra/embedded/event-node/streams/event-store.ts';
import { createRecentIds } from '../../infra/embedded/event-node/streams/recent-ids.ts';
import { hashStreamName } from '../../infra/embedded/event-node/streams/stream-key.ts';
import { decodeRecord, type NewEvent } from '../../infra/embedded/event-node/wire/record.ts';
import { rejection, span } from './node-under-test.ts';

const event = (text: string): NewEvent => ({
  id: randomUUID(),
  type: 'Said',
  contentType: 'application/octet-stream',
  data: Buffer.from(text),
  customMetadata: Buffer.alloc(0),
});

describe('event node: store', () => {
  let dataDir: string;
  let store: EventStore;
  const fault = (error: Error): void => {
    throw error;
  };
  const open = async (options: Partial<Parameters<typeof openEventStore>[0]> = {}): Promise<void> => {
    store = await openEventStore({ dataDir, onProgress: () => undefined, onFault: fault, ...options });
  };
  const reopen = async (options: Partial<Parameters<typeof openEventStore>[0]> = {}): Promise<void> => {
    await store.close();
    await open(options);
  };
  const texts = async (stream: string): Promise<string[] | string> => {
    const view = await store.reader.look(stream);
    if (typeof view === 'string') return view;
    const { entries } = store.reader.forwards(view, 0, 1000);
    return entries.map(({ body }) => Buffer.from(decodeRecord(body).data).toString());
  };
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'event-store-'));
    await open();
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('never mixes streams whose names have the same hash', async () => {
    const weak = { hashOf: (name: string) => name.length % 2 };
    await reopen(weak);
    const streams = span(0, 11).map((n) => `stream-${n}`);
    await Promise.all(streams.map((stream) => store.writer.append(stream, 'noStream', [event(`${stream} first`)])));
    await reopen(weak);
    for (const stream of streams) await store.writer.append(stream, 0, [event(`${stream} second`)]);
    expect(await texts('stream-99')).to.equal('missing');
    await reopen(weak);
    for (const stream of streams) expect(await texts(stream)).to.deep.equal([`${stream} first`, `${stream} second`]);
    expect(await texts('stream-99')).to.equal('missing');
  });

  it('gives one key to one of two streams that begin after both were looked at', async () => {
    await reopen({ hashOf: () => 7 });
    expect([await texts('one'), await texts('other')]).to.deep.equal(['missing', 'missing']);
    await Promise.all(['one', 'other'].map((stream) => store.writer.append(stream, 'noStream', [event(stream)])));
    expect([await texts('one'), await texts('other')]).to.deep.equal([['one'], ['other']]);
  });

  it('finds a stream in memory, in the index file and across both', async () => {
    await store.writer.append(
      's',
      'any',
      span(0, 9).map((n) => event(String(n))),
    );
    await reopen();
    await store.writer.append(
      's',
      9,
      span(10, 19).map((n) => event(String(n))),
    );
    expect(await texts('s')).to.deep.equal(span(0, 19).map(String));
    const view = await store.reader.look('s');
    if (typeof view === 'string') throw new Error(view);
    const { entries } = store.reader.backwards(view, 12, 5);
    expect(entries.map(({ revision }) => revision)).to.deep.equal([12, 11, 10, 9, 8]);
  });

  it('refuses everything under way when the disk is full, and goes on when there is room', async () => {
    await reopen({ maxBytes: 400_000 });
    await store.writer.append('s', 'noStream', [event('kept')]);
    const big = () => event('x'.repeat(300_000));
    const refused = await Promise.all(
      span(0, 4).map((n) => rejection(store.writer.append(`big-${n}`, 'any', [big(), big()]))),
    );
    for (const error of refused) expect(error).to.be.instanceOf(StorageRefusal);
    const outcome = await store.writer.append('s', 0, [event('small')]);
    expect(outcome).to.deep.equal({ kind: 'stored', revision: 1, position: 2 });
    expect(await texts('big-0')).to.equal('missing');
    await reopen();
    expect(await texts('s')).to.deep.equal(['kept', 'small']);
  });

  it('waits for what is under way before it tells of it', async () => {
    const writing = store.writer.append('s', 'noStream', [event('one')]);
    expect(store.log.stored()).to.equal(0);
    expect(await texts('s')).to.deep.equal(['one']);
    await writing;
  });

  it('lets events grow too old by its clock', async () => {
    let now = 1_000_000;
    await reopen({ now: () => now });
    await store.writer.append('s', 'any', [event('old')]);
    now += 5000;
    await store.writer.append('s', 'any', [event('young')]);
    const metadata = { ...event('{"$maxAge":10}'), type: '$metadata', contentType: 'application/json' };
    await store.writer.append('$$s', 'any', [metadata]);
    now += 6000;
    expect(await texts('s')).to.deep.equal(['young']);
    now += 60_000;
    expect(await texts('s')).to.deep.equal([]);
  });

  it('spreads stream keys, and never changes them', () => {
    const keys = new Set(span(1, 20_000).map((n) => hashStreamName(`stream-${n}`)));
    expect(keys.size).to.equal(20_000);
    expect(hashStreamName('creditAccount-ada')).to.equal(1455130098260469);
  });

  it('keeps a filter that never denies a stream it was shown', () => {
    const filter = viewStreamFilter(allocateStreamFilter());
    const shown = span(1, 5000).map((n) => hashStreamName(`shown-${n}`));
    shown.forEach(filter.add);
    expect(shown.every(filter.mayHave)).to.equal(true);
    const wrong = span(1, 5000).filter((n) => filter.mayHave(hashStreamName(`other-${n}`)));
    expect(wrong.length).to.be.below(50);
  });

  it('remembers the newest ids only', () => {
    const ids = createRecentIds(3);
    span(1, 5).forEach((n) => ids.add(`id-${n}`, 1, n));
    expect(span(1, 5).map((n) => ids.revisionOf(`id-${n}`, 1))).to.deep.equal([undefined, undefined, 3, 4, 5]);
    expect(ids.revisionOf('id-5', 2)).to.equal(undefined);
  });

  it('keeps the newest entries that fit, and every one that is not stored', () => {
    const tail = createTailCache(1700, 1);
    const entry = (position: number) => ({ position, stream: 1, revision: position, body: Buffer.alloc(72) });
    span(1, 10).forEach((position) => tail.add(entry(position)));
    tail.trim(2);
    expect([tail.start(), tail.at(2), tail.at(3)?.position]).to.deep.equal([3, undefined, 3]);
    tail.trim(10);
    expect(tail.start()).to.equal(6);
    tail.dropFrom(9);
    expect([tail.at(8)?.position, tail.at(9)]).to.deep.equal([8, undefined]);
    tail.add(entry(9));
    expect(tail.at(9)?.position).to.equal(9);
  });
});
