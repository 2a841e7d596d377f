import { expect } from 'chai';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { QueryRunner } from '../../src/kernel/query.ts';
import { eventHub } from '../../src/ws/event-hub.ts';
import type { FeedEvent } from '../../queries/events/feed-after.query.ts';

const [ADA, BOB] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];

const eventAt = (position: bigint): FeedEvent => ({
  position,
  type: 'Counted',
  stream: 's',
  revision: '0',
  at: '2026-03-01T12:00:00.000Z',
  data: {},
});

describe('the hub of event streams', () => {
  it('wakes one who came while the news of others were asked for, also when those are newer', async () => {
    const feed = new Map<string, readonly FeedEvent[]>();
    const asked = Promise.withResolvers<undefined>();
    const answer = Promise.withResolvers<readonly unknown[]>();
    let reads = 0;
    const queries = {
      asUser: (userId: string) => {
        reads += 1;
        return Promise.resolve(feed.get(userId) ?? []);
      },
      asSystem: () => {
        asked.resolve(undefined);
        return answer.promise;
      },
    } as unknown as QueryRunner;
    const hub = eventHub({ queries, logHead: () => Promise.resolve(0n), logger: silentLogger });
    const ending = new AbortController();
    const others = hub.follow(BOB, 0n, ending.signal).next();
    hub.grown();
    await asked.promise;

    const mine = hub.follow(ADA, 0n, ending.signal).next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(reads, 'both have looked, and found nothing').to.equal(2);
    feed.set(ADA, [eventAt(5n)]);
    answer.resolve([{ userId: BOB, position: 6n }]);

    expect((await mine).value).to.deep.equal([eventAt(5n)]);
    ending.abort();
    await others;
  });
});
