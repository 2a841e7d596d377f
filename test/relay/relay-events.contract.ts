import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { MOST_KEPT_BYTES } from '../../infra/relay/limits.ts';
import { KEPT_EVENTS, KEPT_SECONDS, type Keeping, type Replay } from '../../src/kernel/relay.ts';
import { allSettled, eventSaying, eventsAt, presenceOn, type Relays } from './relays.ts';

const KEEP: Keeping = { how: 'keep' };

/** What every Relay promises about the events of a user. */
export const relayEventsContract = (relays: () => Relays): void => {
  const instances = () => relays().all;
  const fresh = (): string => randomUUID();
  const publish = (user: string, payload: unknown, keeping = KEEP, on = 0): Promise<number> =>
    instances()[on]!.relay.publish(user, eventSaying(payload), keeping);
  const replay = (user: string, lastEventId: number, on = 1): Promise<Replay> =>
    instances()[on]!.relay.replay(user, lastEventId);
  const said = ({ events }: Replay): readonly unknown[] => events.map(({ payload }) => payload);

  it('hands an event to every instance with a device of the user, and to no other', async () => {
    const [one, two, three] = instances();
    const user = fresh();
    await one.relay.join(user, presenceOn(one));
    await one.relay.join(user, presenceOn(one));
    await two.relay.join(user, presenceOn(two));
    const left = presenceOn(three);
    await three.relay.join(user, left);
    await three.relay.leave(user, left);
    const event = { ...eventSaying({ ü: ['🙂', null, { deep: 1.5 }] }), sourceDeviceId: fresh() };
    const eventId = await three.relay.publish(user, event, KEEP);
    await allSettled(relays());
    for (const each of [one, two]) expect(eventsAt(each, user)).to.deep.equal([{ ...event, eventId }]);
    expect(eventsAt(three, user)).to.deep.equal([]);
    expect((await one.relay.replay(user, 0)).events).to.deep.equal([{ ...event, eventId }]);
  });

  it('gives back the events after an id, from any instance, without a gap', async () => {
    const user = fresh();
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await publish(user, n, KEEP, n % 3));
    expect([...ids].sort((a, b) => a - b)).to.deep.equal(ids);
    expect(new Set(ids).size).to.equal(5);
    const after = await replay(user, ids[2]!);
    expect(after).to.include({ gap: false, oldest: ids[0], latest: ids[4] });
    expect(said(after)).to.deep.equal([3, 4]);
    expect(await replay(user, ids[4]!)).to.deep.include({ gap: false, events: [] });
    expect(await replay(user, ids[0]!)).to.include({ gap: false });
    // Nobody was given a lower one here: what else a device has missed is not known.
    expect((await replay(user, ids[0]! - 1)).gap).to.equal(true);
  });

  it('starts at the clock, far above any count', async () => {
    expect(await publish(fresh(), 1))
      .to.be.greaterThan(1_700_000_000_000)
      .and.lessThan(2 ** 42);
  });

  it('says neither gap nor events to a device that asks from the start of nothing', async () => {
    expect(await replay(fresh(), 0)).to.deep.include({ events: [], gap: false, oldest: undefined });
  });

  it('begins the count with the first who asks, and nobody who comes back from there is told of a gap without reason', async () => {
    const user = fresh();
    const { latest: since } = await replay(user, Number.MAX_SAFE_INTEGER);
    expect(since).to.be.greaterThan(1_700_000_000_000);
    const first = await publish(user, 1);
    expect(first).to.be.greaterThan(since);
    const missed = await replay(user, since);
    expect(said(missed)).to.deep.equal([1]);
    expect(missed.gap).to.equal(false);
    await publish(user, 'large', { how: 'miss' });
    expect((await replay(user, since)).gap).to.equal(true);
  });

  it('is a gap only to those who missed what had to make room for newer events', async () => {
    const user = fresh();
    const ids = await Promise.all(Array.from({ length: KEPT_EVENTS + 3 }, (_, n) => publish(user, n)));
    const all = await replay(user, ids[2]!);
    expect(all).to.include({ gap: false, oldest: ids[3] });
    expect(all.events).to.have.length(KEPT_EVENTS);
    expect((await replay(user, ids[1]!)).gap).to.equal(true);
  });

  it('is a gap to those who missed what is too old, also when nothing is kept any more', async () => {
    const user = fresh();
    const [first, second] = [await publish(user, 1), await publish(user, 2)];
    await relays().advance((KEPT_SECONDS + 1) * 1_000);
    expect(await replay(user, first)).to.deep.equal({ events: [], gap: true, oldest: undefined, latest: second });
    expect((await replay(user, second)).gap).to.equal(false);
    const third = await publish(user, 3);
    await relays().advance((KEPT_SECONDS - 1) * 1_000);
    await publish(user, 4);
    await relays().advance(2_000);
    expect(said(await replay(user, third))).to.deep.equal([4]);
    expect(await replay(user, second)).to.deep.include({ gap: true });
  });

  it('is a gap to those who missed an event that was too large to keep', async () => {
    const user = fresh();
    const before = await publish(user, 1);
    const large = await publish(user, 'large', { how: 'miss' });
    await publish(user, 2);
    const missed = await replay(user, before);
    expect(missed.gap).to.equal(true);
    expect(said(missed)).to.deep.equal([2]);
    expect(await replay(user, large)).to.deep.include({ gap: false });
  });

  it('is no gap when nobody misses what was not kept', async () => {
    const user = fresh();
    const before = await publish(user, 1);
    for (let n = 0; n < 3; n += 1) await publish(user, 'piece', { how: 'forget' });
    await publish(user, 2);
    const after = await replay(user, before);
    expect(after.gap).to.equal(false);
    expect(said(after)).to.deep.equal([2]);
  });

  it('keeps the newest of those that replace one another', async () => {
    const user = fresh();
    const before = await publish(user, 0);
    const replaces = (key: string): Keeping => ({ how: 'keep', replaces: key });
    const long = 'k'.repeat(100_000);
    for (let n = 1; n <= 3; n += 1) {
      await publish(user, `a${n}`, replaces('a'), n % 3);
      await publish(user, `b${n}`, replaces('["b",null]'));
      await publish(user, `c${n}`, replaces(long));
      await publish(user, n);
    }
    const after = await replay(user, before);
    expect(after.gap).to.equal(false);
    expect(said(after)).to.deep.equal([1, 2, 'a3', 'b3', 'c3', 3]);
  });

  it('keeps no more bytes of a user than so many', async () => {
    const user = fresh();
    const large = 'x'.repeat(MOST_KEPT_BYTES / 8);
    const ids = [];
    for (let n = 0; n < 12; n += 1) ids.push(await publish(user, `${n}${large}`));
    const kept = await replay(user, ids[4]!);
    expect(kept).to.include({ gap: false, oldest: ids[5] });
    expect(kept.events.map(({ eventId }) => eventId)).to.deep.equal(ids.slice(5));
    expect((await replay(user, ids[3]!)).gap).to.equal(true);
  });

  it('counts the bytes right when events are replaced', async () => {
    const user = fresh();
    const large = 'x'.repeat(MOST_KEPT_BYTES / 4);
    const before = await publish(user, 'first');
    for (let n = 0; n < 9; n += 1) await publish(user, `${n}${large}`, { how: 'keep', replaces: 'one' });
    const kept = await replay(user, before);
    expect(kept.gap).to.equal(false);
    expect(said(kept)).to.deep.equal([`8${large}`]);
  });

  it('goes on above what a client knows, and tells a gap to whoever knows another past', async () => {
    const user = fresh();
    const first = await publish(user, 1);
    const ahead = first + 1_000_000_000;
    expect(await replay(user, ahead)).to.deep.include({ gap: true, latest: ahead, events: [] });
    expect((await replay(user, first)).gap).to.equal(true);
    const next = await publish(user, 2);
    expect(next).to.equal(ahead + 1);
    const other = await replay(user, ahead - 5);
    expect(other.gap).to.equal(true);
    expect(said(other)).to.deep.equal([2]);
    expect(await replay(user, ahead)).to.deep.include({ gap: true });
    expect(await replay(user, next)).to.deep.include({ gap: false });
  });

  it('goes on above what a client knows of a user who is not known here', async () => {
    const user = fresh();
    const ahead = (await publish(fresh(), 1)) + 1_000_000_000;
    expect((await replay(user, ahead)).gap).to.equal(true);
    expect(await publish(user, 1)).to.be.greaterThan(ahead);
  });

  it('tells a gap to a client that came back before the first event of a new past', async () => {
    const user = fresh();
    const base = await publish(fresh(), 1);
    await replay(user, base - 50);
    await publish(user, 'new');
    expect((await replay(user, base - 10)).gap).to.equal(true);
  });

  it('does not believe in ids that would make the next one inexact', async () => {
    const user = fresh();
    const first = await publish(user, 1);
    expect(await replay(user, Number.MAX_SAFE_INTEGER)).to.deep.include({ gap: true, latest: first });
    expect(await publish(user, 2)).to.be.lessThan(2 ** 42);
    await replay(user, 2 ** 52);
    const next = await publish(user, 3);
    expect(next).to.be.greaterThan(2 ** 52);
    expect(await publish(user, 4)).to.be.greaterThan(next);
    expect(said(await replay(user, next - 1))).to.deep.equal([3, 4]);
  });

  it('is handed out in the order of the ids, all of it, to all who are there, however many publish at once', async () => {
    const from = fc.integer({ min: 0, max: 2 });
    const how = fc.constantFrom<Keeping>(KEEP, { how: 'forget' }, { how: 'miss' }, { how: 'keep', replaces: 'r' });
    const bursts = fc.array(fc.array(fc.tuple(from, how), { minLength: 1, maxLength: 30 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(bursts, async (all) => {
        const user = fresh();
        for (const each of instances()) await each.relay.join(user, presenceOn(each));
        const ids: number[] = [];
        for (const burst of all) {
          ids.push(...(await Promise.all(burst.map(([on, keeping], n) => publish(user, n, keeping, on)))));
        }
        await allSettled(relays());
        const inOrder = [...ids].sort((a, b) => a - b);
        expect(new Set(ids).size).to.equal(ids.length);
        for (const each of instances()) {
          expect(eventsAt(each, user).map(({ eventId }) => eventId)).to.deep.equal(inOrder);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('misses nothing between what is replayed and what is handed out afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 60 }), async (before, during) => {
        const [one, two] = instances();
        const user = fresh();
        const start = await publish(user, 'start');
        const ids = await Promise.all(Array.from({ length: before }, (_, n) => publish(user, n, KEEP, n % 3)));
        const more = Array.from({ length: during }, (_, n) => publish(user, n, KEEP, n % 3));
        await two.relay.join(user, presenceOn(two));
        const { events, gap } = await two.relay.replay(user, start);
        ids.push(...(await Promise.all(more)));
        await allSettled(relays());
        expect(gap).to.equal(false);
        const seen = new Set([...events, ...eventsAt(two, user)].map(({ eventId }) => eventId));
        expect([...seen].sort((a, b) => a - b)).to.deep.equal(ids.sort((a, b) => a - b));
        expect(eventsAt(one, user)).to.deep.equal([]);
      }),
      { numRuns: 20 },
    );
  });
};
