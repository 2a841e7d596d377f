import { expect } from 'chai';
import { isDomainError } from '../../src/kernel/errors.ts';
import { isSealed, type SubjectVault } from '../../src/kernel/vault.ts';

const MASTER_KEY = '5e'.repeat(32);

/** Opens one more process's view of the same keys. */
export type OpenVault = (
  options: Readonly<{ masterKey: string; monotonic?: () => number; cachedKeys?: number }>,
) => Promise<SubjectVault>;

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** What every vault must do, on keys that several processes share. */
export const vaultContract = (place: string, open: () => OpenVault): void => {
  describe(`the key vault in ${place}`, () => {
    const opened: SubjectVault[] = [];
    let subject = '';
    let count = 0;

    const vault = async (options: Partial<Parameters<OpenVault>[0]> = {}): Promise<SubjectVault> => {
      const one = await open()({ masterKey: MASTER_KEY, ...options });
      opened.push(one);
      return one;
    };

    beforeEach(() => {
      count += 1;
      subject = `subject-${count}`;
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()));
    });

    it('opens what it sealed, and seals the same value differently each time', async () => {
      const one = await vault();
      const value = { email: 'ada@example.test', tags: ['a', 'ü'] };
      const sealed = await one.seal(subject, 'user-1', value);
      expect(isSealed(sealed)).to.equal(true);
      expect(sealed.k).to.equal(subject);
      expect(await one.open('user-1', sealed)).to.deep.equal(value);
      expect((await one.seal(subject, 'user-1', value)).ct).not.to.equal(sealed.ct);
    });

    it('does not open a value in another place, under another key or after a change', async () => {
      const one = await vault();
      const sealed = await one.seal(subject, 'user-1', 'secret');
      await one.seal('somebody-else', 'user-1', 'x');
      const flipped = Buffer.from(sealed.ct, 'base64');
      flipped.writeUInt8(flipped.readUInt8(0) ^ 1, 0);
      for (const altered of [
        one.open('user-2', sealed),
        one.open('user-1', { ...sealed, k: 'somebody-else' }),
        one.open('user-1', { ...sealed, ct: flipped.toString('base64') }),
        one.open('user-1', { ...sealed, tag: sealed.tag.slice(0, 8) }),
      ]) {
        expect(await failure(altered)).to.be.an('error');
      }
    });

    it('gives two processes that make the same key at once the same one', async () => {
      const [one, other] = [await vault(), await vault()];
      const [a, b] = await Promise.all([one.seal(subject, 'user-1', 'a'), other.seal(subject, 'user-1', 'b')]);
      expect(await other.open('user-1', a)).to.equal('a');
      expect(await one.open('user-1', b)).to.equal('b');
    });

    it('tells equal values equal by a digest that differs between subjects', async () => {
      const [one, other] = [await vault(), await vault()];
      const digest = await one.digest(subject, 'ada@example.test');
      expect(digest).to.match(/^[0-9a-f]{64}$/);
      expect(await other.digest(subject, 'ada@example.test')).to.equal(digest);
      expect(await one.digest(subject, 'ida@example.test')).not.to.equal(digest);
      expect(await one.digest('somebody-else', 'ada@example.test')).not.to.equal(digest);
    });

    it('destroys a key for ever, here at once', async () => {
      const one = await vault();
      const sealed = await one.seal(subject, 'user-1', 'secret');
      await one.destroy(subject);
      await one.destroy(subject);
      expect(await one.open('user-1', sealed)).to.equal(null);
      for (const use of [one.seal(subject, 'user-1', 'again'), one.digest(subject, 'again')]) {
        expect(await failure(use)).to.satisfy(isDomainError);
      }
      expect(await (await vault()).open('user-1', sealed)).to.equal(null);
    });

    it('never makes a key for a subject that was destroyed before it had one', async () => {
      const [one, other] = [await vault(), await vault()];
      await one.destroy(subject);
      expect(await failure(other.seal(subject, 'user-1', 'x'))).to.satisfy(isDomainError);
    });

    it('destroys a key in other processes within a second', async () => {
      let now = 0;
      const [one, other] = [await vault(), await vault({ monotonic: () => now })];
      const sealed = await one.seal(subject, 'user-1', 'secret');
      expect(await other.open('user-1', sealed)).to.equal('secret');
      await one.destroy(subject);
      now += 501;
      expect(await other.open('user-1', sealed)).to.equal(null);
    });

    it('destroys a key in a process that has looked away for long', async () => {
      let now = 0;
      const [one, other] = [await vault(), await vault({ monotonic: () => now })];
      const sealed = await one.seal(subject, 'user-1', 'secret');
      expect(await other.open('user-1', sealed)).to.equal('secret');
      await one.destroy(subject);
      now += 3_600_000;
      expect(await other.open('user-1', sealed)).to.equal(null);
    });

    it('keeps few keys in memory and still opens everything', async () => {
      const one = await vault({ cachedKeys: 2 });
      const subjects = [1, 2, 3, 4, 5].map((n) => `${subject}-${n}`);
      const sealed = await Promise.all(subjects.map((each) => one.seal(each, 'c', each)));
      expect(await Promise.all(sealed.map((each) => one.open('c', each)))).to.deep.equal(subjects);
    });

    it('says so when the master key is another one, and when a key is lost', async () => {
      const sealed = await (await vault()).seal(subject, 'user-1', 'secret');
      const stranger = await vault({ masterKey: '77'.repeat(32) });
      expect(String(await failure(stranger.open('user-1', sealed)))).to.match(/another master key/);
      expect(String(await failure(stranger.open('user-1', { ...sealed, k: 'nobody' })))).to.match(/lost the key/);
    });
  });
};
