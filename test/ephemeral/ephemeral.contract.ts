import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import type { EphemeralStore } from '../../src/kernel/ephemeral.ts';

/** Seconds; long enough for the calls in between. */
const SOON = 0.3;

/** What every EphemeralStore promises. `expire` lets the short time go by after which a key is gone. */
export const ephemeralContract = (store: () => EphemeralStore, expire: (key: string) => Promise<void>): void => {
  const fresh = () => `test:${randomUUID()}`;

  it('gives back what was put, as JSON holds it', async () => {
    const key = fresh();
    for (const value of [{ a: [1, 'zwei', null], deep: { ü: true } }, 'text', 0, false, null, []]) {
      await store().put(key, value, 60);
      expect(await store().get(key)).to.deep.equal(value);
    }
  });

  it('knows nothing of a key that was never put', async () => {
    expect(await store().get(fresh())).to.equal(undefined);
    expect(await store().take(fresh())).to.equal(undefined);
  });

  it('shares no object with those who put and get', async () => {
    const key = fresh();
    const value = { list: [1] };
    await store().put(key, value, 60);
    value.list.push(2);
    expect(await store().get(key)).to.deep.equal({ list: [1] });
    ((await store().get(key)) as { list: number[] }).list.push(3);
    expect(await store().get(key)).to.deep.equal({ list: [1] });
  });

  it('rejects what JSON cannot hold', async () => {
    for (const write of [
      store().put(fresh(), undefined, 60),
      store().claim(fresh(), () => 1, 60),
      store().put(fresh(), 1n, 60),
    ]) {
      expect(
        await write.then(
          () => 'stored',
          (error: unknown) => error,
        ),
      ).to.be.an.instanceOf(TypeError);
    }
  });

  it('forgets when the time is over, and a new put starts anew', async () => {
    const [old, renewed] = [fresh(), fresh()];
    await store().put(renewed, 1, SOON);
    await store().put(old, 1, SOON);
    await store().put(renewed, 2, 60);
    expect(await store().get(old)).to.equal(1);
    await expire(old);
    expect(await store().get(old)).to.equal(undefined);
    expect(await store().get(renewed)).to.equal(2);
  });

  it('lets a value be taken once, however many try', async () => {
    const key = fresh();
    await store().put(key, 'prize', 60);
    const taken = await Promise.all(Array.from({ length: 20 }, () => store().take(key)));
    expect(taken.filter((value) => value !== undefined)).to.deep.equal(['prize']);
    expect(await store().get(key)).to.equal(undefined);
  });

  it('lets a key be claimed once, however many try, and again when the claim is over', async () => {
    const key = fresh();
    const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => store().claim(key, n, SOON)));
    expect(claims.filter((won) => won)).to.have.length(1);
    expect(await store().get(key)).to.equal(claims.indexOf(true));
    await expire(key);
    expect(await store().claim(key, 'next', 60)).to.equal(true);
    expect(await store().get(key)).to.equal('next');
  });

  it('answers a ping', () => store().ping());
};
