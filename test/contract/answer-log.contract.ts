import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import type { AnswerHead, AnswerLog, AnswerNews } from '../../src/kernel/answer-log.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';

const words = (...texts: readonly string[]): readonly UpstreamEvent[] => texts.map((text) => ({ type: 'text', text }));

export const headOf = (over: Partial<AnswerHead> = {}): AnswerHead => ({
  requestId: randomUUID(),
  userId: randomUUID(),
  modelId: 'sandbox/echo',
  provider: 'sandbox',
  startedAt: '2026-11-23T10:00:00.000Z',
  ...over,
});

export const newsOf = (head: AnswerHead, from: number, texts: readonly string[], over?: unknown): AnswerNews => ({
  head,
  from,
  events: words(...texts),
  over,
});

/** What the port to recorded answers means, whoever keeps them. */
export const answerLogContract = (logOf: () => AnswerLog): void => {
  it('gives back what was said from any position on, also from the middle of what was written at once', async () => {
    const log = logOf();
    const head = headOf();
    await log.write([newsOf(head, 0, ['a', 'b', 'c'])]);
    await log.write([newsOf(head, 3, ['d \ud83d', '\u0000"ß😀'])]);
    const page = await log.read(head.requestId, 2);
    expect(page?.head).to.deep.equal(head);
    expect(page?.events).to.deep.equal(words('c', 'd \ud83d', '\u0000"ß😀'));
    expect(page?.over).to.equal(undefined);
    expect((await log.read(head.requestId, 5))?.events).to.deep.equal([]);
  });

  it('forgets one user and nobody else', async () => {
    const log = logOf();
    const [mine, also, theirs] = [headOf(), headOf(), headOf()];
    const { userId } = mine;
    await log.write([newsOf(mine, 0, ['a']), newsOf({ ...also, userId }, 0, ['b']), newsOf(theirs, 0, ['c'])]);
    expect(await log.forgetUser(userId)).to.equal(2);
    expect(await log.forgetUser(userId)).to.equal(0);
    expect(await log.read(mine.requestId, 0)).to.equal(undefined);
    expect((await log.read(theirs.requestId, 0))?.events).to.deep.equal(words('c'));
  });

  it('knows nothing of a request that was never recorded', async () => {
    expect(await logOf().read(randomUUID(), 0)).to.equal(undefined);
  });

  it('tells the end with the last piece, and keeps the first end', async () => {
    const log = logOf();
    const head = headOf();
    await log.write([newsOf(head, 0, ['a'], { how: 'completed', odd: '\u0000' })]);
    await log.write([newsOf(head, 1, [], { how: 'failed' })]);
    expect((await log.read(head.requestId, 0))?.over).to.deep.equal({ how: 'completed', odd: '\u0000' });
  });

  it('keeps a repeated piece once, and what it has grown by', async () => {
    const log = logOf();
    const head = headOf();
    await log.write([newsOf(head, 0, ['a', 'b'])]);
    await log.write([newsOf(head, 0, ['a', 'b'])]);
    await log.write([newsOf(head, 0, ['a', 'b', 'c'])]);
    expect((await log.read(head.requestId, 0))?.events).to.deep.equal(words('a', 'b', 'c'));
  });

  it('keeps many answers at once and says which of them are read elsewhere', async () => {
    const log = logOf();
    const [first, second] = [headOf(), headOf()];
    expect(await log.write([newsOf(first, 0, ['a']), newsOf(second, 0, [])])).to.deep.equal(new Set());
    await log.follow(second.requestId, 30);
    const read = await log.write([newsOf(first, 1, []), newsOf(second, 0, ['b'])]);
    expect(read).to.deep.equal(new Set([second.requestId]));
    expect((await log.read(second.requestId, 0))?.events).to.deep.equal(words('b'));
  });

  it('tells how long ago the owner gave a sign of life', async () => {
    const log = logOf();
    const head = headOf();
    await log.write([newsOf(head, 0, [])]);
    expect((await log.read(head.requestId, 0))?.silentMs).to.be.within(-1, 60_000);
  });

  it('hands a long answer out in parts; the end comes with the last', async () => {
    const log = logOf();
    const head = headOf();
    const pieces = 150;
    for (let at = 0; at < pieces; at += 1) {
      await log.write([newsOf(head, at, [`${at} `], at === pieces - 1 ? { how: 'completed' } : undefined)]);
    }
    const heard: UpstreamEvent[] = [];
    for (let over: unknown; over === undefined;) {
      const page = await log.read(head.requestId, heard.length);
      expect(page?.events).to.not.have.length(0);
      heard.push(...(page?.events ?? []));
      over = page?.over;
    }
    expect(heard).to.deep.equal(words(...Array.from({ length: pieces }, (_, at) => `${at} `)));
  });

  it('forgets what began before a time, and nothing else', async () => {
    const log = logOf();
    const old = headOf({ startedAt: '2026-11-20T10:00:00.000Z' });
    const young = headOf();
    await log.write([newsOf(old, 0, ['a'], {}), newsOf(young, 0, ['b'])]);
    expect(await log.sweep(new Date('2026-11-22T10:00:00.000Z'))).to.equal(1);
    expect(await log.read(old.requestId, 0)).to.equal(undefined);
    expect((await log.read(young.requestId, 0))?.events).to.deep.equal(words('b'));
  });
};
