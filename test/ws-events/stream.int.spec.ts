import { expect } from 'chai';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { ada, grace } from '../support/given-http.ts';
import { startStream, type GivenStream, type Reader, type Told } from './given-stream.ts';

const numbersOf = (told: readonly Told[]): readonly (number | undefined)[] => told.map(({ data }) => data.n);
const upTo = (count: number, from = 0): readonly number[] => Array.from({ length: count - from }, (_, n) => n + from);

describe('the stream of a user’s own events', function () {
  this.timeout(120_000);
  let given: GivenStream;

  beforeEach(async () => {
    given = await startStream();
  });
  afterEach(() => given.close());

  const reaches = (reader: Reader, count: number) =>
    eventually('all events to be told', () => (reader.told.length >= count ? true : undefined), 60_000);

  /** Reads with a connection that breaks again and again, each time from where the last one ended. */
  const readBroken = async (open: (after: string) => Reader, count: number): Promise<readonly Told[]> => {
    const all: Told[] = [];
    for (let breaks = 0; all.length < count; breaks += 1) {
      if (breaks > 400) throw new Error('the stream does not come to its end');
      const reader = open(all.at(-1)?.position ?? '0');
      // After so many events, wherever that is in what the server sends: deterministic, and different each time.
      const wanted = Math.min(count - all.length, 1 + ((breaks * 7919) % 53));
      await reaches(reader, wanted);
      reader.cut();
      all.push(...reader.told.slice(0, wanted));
      await reader.ended;
    }
    return all;
  };

  for (const way of ['sse', 'socket'] as const) {
    describe(way === 'sse' ? 'as server-sent events' : 'over a WebSocket', () => {
      it('tells what was and what comes, in order, and nothing of anybody else', async () => {
        await given.append(250);
        await given.append(20, { userId: grace.userId });
        const reader = given[way]('0');
        await reaches(reader, 250);
        await given.append(150);
        await reaches(reader, 400);
        expect(numbersOf(reader.told)).to.deep.equal(upTo(400));
        reader.cut();
      });

      it('begins with what comes when no position is named, and at one that this log has not reached', async () => {
        await given.append(5);
        await eventually('the feed to have them', async () => {
          const reader = given[way]('0');
          await delay(50);
          reader.cut();
          return reader.told.length === 5 ? true : undefined;
        });
        const readers = [given[way](undefined), given[way]('999999999')];
        await Promise.all(readers.map(({ greeted }) => greeted));
        await given.append(3);
        for (const reader of readers) {
          await reaches(reader, 3);
          expect(numbersOf(reader.told)).to.deep.equal([5, 6, 7]);
          reader.cut();
        }
      });

      it('loses nothing and tells nothing twice over a hundred breaks while events come in', async () => {
        const writing = (async () => {
          for (let batch = 0; batch < 30; batch += 1) {
            await given.append(100);
            await delay(5);
          }
        })();
        const all = await readBroken((after) => given[way](after), 3000);
        await writing;
        expect(numbersOf(all)).to.deep.equal(upTo(3000));
        expect(new Set(all.map(({ position }) => position)).size).to.equal(3000);
      });

      it('waits for a slow reader, holds little for it meanwhile, and drops nothing', async () => {
        const size = 8_000;
        const count = 6_000;
        await given.append(count, { size });
        const slow = given[way]('0');
        await eventually('it to begin', () => (given.hub.followers() > 0 && slow.told.length > 0 ? true : undefined));
        slow.pause(true);
        let before = -1;
        // It has stopped when the server does not ask the database for more.
        await eventually('the server to wait', async () => {
          const now = given.queries();
          const same = now === before;
          before = now;
          await delay(400);
          return same ? true : undefined;
        });
        const pagesAhead = given.queries() - Math.floor(slow.told.length / 200);
        expect(pagesAhead).to.be.lessThan(20);
        expect(slow.told.length).to.be.lessThan(count);
        slow.pause(false);
        await reaches(slow, count);
        expect(numbersOf(slow.told)).to.deep.equal(upTo(count));
        slow.cut();
      });

      it('ends when the session ends and when the server stops', async () => {
        const reader = given[way]('0');
        await eventually('it to follow', () => (given.hub.followers() === 1 ? true : undefined));
        given.session.abort();
        expect(await reader.ended).to.equal(way === 'sse' ? 200 : 1008);
        await eventually('nobody to follow', () => (given.hub.followers() === 0 ? true : undefined));
      });

      it('leaves a reader behind who does not read when the session ends', async () => {
        await given.append(300, { size: 60_000 });
        const reader = given[way]('0');
        await reader.greeted;
        reader.pause(true);
        await eventually('the server to be held up', async () => {
          const before = given.queries();
          await delay(100);
          return given.queries() === before && before > 0 ? true : undefined;
        });
        given.session.abort();
        await eventually('nobody to be followed', () => (given.hub.followers() === 0 ? true : undefined));
        await eventually('the connection to be gone', async () =>
          (await given.connections()) === 0 ? true : undefined,
        );
        reader.pause(false);
        await reader.ended;
      });

      it('says that the server restarts', async () => {
        const reader = given[way]('0');
        await eventually('it to follow', () => (given.hub.followers() === 1 ? true : undefined));
        given.stopping.abort();
        expect(await reader.ended).to.equal(way === 'sse' ? 200 : 1012);
      });

      it('is open so many times for one user, and no more', async () => {
        const readers = Array.from({ length: 32 }, () => given[way]('0'));
        await eventually('all to follow', () => (given.hub.followers() === 32 ? true : undefined));
        expect(await given[way]('0').ended).to.equal(way === 'sse' ? 429 : 1013);
        const other = given[way]('0', 'grace');
        await eventually('somebody else to follow', () => (given.hub.followers() === 33 ? true : undefined));
        for (const reader of [...readers, other]) reader.cut();
        await eventually('nobody to follow', () => (given.hub.followers() === 0 ? true : undefined));
      });
    });
  }

  it('refuses a position that is none', async () => {
    const answer = await fetch(`${given.url}/ws/events`, {
      headers: { authorization: 'Bearer ada', 'last-event-id': 'abc' },
    });
    expect(answer.status).to.equal(400);
    expect(await given.socket('-1').ended).to.equal(1008);
  });

  it('greets with a sign of life, as clients of the old stream know it', async () => {
    const answer = await fetch(`${given.url}/ws/events`, { headers: { authorization: 'Bearer ada' } });
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    const text = new TextDecoder().decode(first?.value as Uint8Array);
    expect(text).to.match(/^data: \{"type":"heartbeat","timestamp":"[^"]+","userId":"/);
    expect(text).to.include(ada.userId);
    await reader?.cancel();
  });

  it('gives up a socket that does not answer, and keeps one that does', async () => {
    await given.close();
    given = await startStream(200);
    const dead = given.socket('0', 'ada', { autoPong: false });
    const alive = given.socket('0');
    expect(await dead.ended).to.equal(1006);
    expect(alive.client.readyState).to.equal(alive.client.OPEN);
    await given.append(1);
    await reaches(alive, 1);
    alive.client.close();
    await once(alive.client, 'close');
  });
});
