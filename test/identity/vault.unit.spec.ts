import { expect } from 'chai';
import type { KeptKey, KeyStore } from '../../infra/vault/key-store.ts';
import { subjectVault } from '../../infra/vault/vault.ts';
import { failure } from './rig.ts';

const masterKey = '5e'.repeat(32);

/** A key store that a test plays other processes on, and counts the looks at. */
const playedStore = () => {
  const kept = new Map<string, KeptKey>();
  const looks = { find: 0, destroyed: 0 };
  let recent: readonly string[] = [];
  let away = false;
  const store: KeyStore = {
    find: (subject) => {
      looks.find += 1;
      return Promise.resolve(kept.get(subject));
    },
    create: (subject, wrapped) => {
      kept.set(subject, kept.get(subject) ?? { wrapped });
      return Promise.resolve(kept.get(subject)!);
    },
    destroy: (subject) => {
      kept.set(subject, 'destroyed');
      return Promise.resolve();
    },
    recentlyDestroyed: () => {
      looks.destroyed += 1;
      return away ? Promise.reject(new Error('away')) : Promise.resolve(recent);
    },
    close: () => Promise.resolve(),
  };
  const destroyedElsewhere = (subject: string, isRecent: boolean): void => {
    kept.set(subject, 'destroyed');
    recent = isRecent ? [subject] : [];
  };
  return { store, looks, destroyedElsewhere, outage: () => (away = true) };
};

describe('the key vault’s memory', () => {
  it('asks for a key once, and for what was destroyed twice a second', async () => {
    let now = 0;
    const { store, looks } = playedStore();
    const vault = subjectVault(store, { masterKey, monotonic: () => now });
    const sealed = await vault.seal('ada', 'c', 1);
    for (; now < 2000; now += 10) await vault.open('c', sealed);
    expect(looks.find).to.equal(1);
    expect(looks.destroyed).to.be.within(3, 4);
  });

  it('forgets everything when it has not looked for longer than others tell', async () => {
    let now = 0;
    const { store, destroyedElsewhere } = playedStore();
    const vault = subjectVault(store, { masterKey, monotonic: () => now });
    const sealed = await vault.seal('ada', 'c', 1);
    destroyedElsewhere('ada', false);
    now += 30_001;
    expect(await vault.open('c', sealed)).to.equal(null);
  });

  it('opens nothing from memory while it cannot look', async () => {
    let now = 0;
    const { store, outage } = playedStore();
    const vault = subjectVault(store, { masterKey, monotonic: () => now });
    const sealed = await vault.seal('ada', 'c', 1);
    outage();
    now += 501;
    expect(await failure(vault.open('c', sealed))).to.be.an('error');
  });

  it('does not believe an answer that was on its way when the key was destroyed here', async () => {
    const { store } = playedStore();
    let answer: (() => void) | undefined;
    const slow: KeyStore = {
      ...store,
      find: async (subject) => {
        const kept = await store.find(subject);
        if (answer === undefined) return kept;
        await new Promise<void>((resolve) => (answer = resolve));
        return kept;
      },
    };
    const sealed = await subjectVault(slow, { masterKey }).seal('ada', 'c', 1);
    const vault = subjectVault(slow, { masterKey });
    answer = () => undefined;
    const opening = vault.open('c', sealed);
    await new Promise((resolve) => setImmediate(resolve));
    await vault.destroy('ada');
    answer();
    expect(await opening).to.equal(null);
  });
});
