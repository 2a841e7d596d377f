import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { chainCheck } from '../../src/finance/chain-check.ts';
import { inclusionProof, newestSeal, proofFaults } from '../../src/finance/inclusion-proof.ts';
import { sealCheck, type SealReport } from '../../src/finance/seal-check.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { StoredEvent } from '../../src/kernel/event-store.ts';
import type { Seal } from '../../src/kernel/seal.ts';
import { sealSigner } from '../../infra/audit/seal-signer.ts';
import { givenLog, OTHER_SEED, SEED, type GivenLog } from './given-log.ts';

const MINUTE = 60_000;

const checked = (log: readonly StoredEvent[], options?: Parameters<typeof sealCheck>[0]): SealReport => {
  const check = sealCheck(options);
  for (const event of log) check.take(event);
  return check.report();
};
const faultsOf = (log: readonly StoredEvent[], options?: Parameters<typeof sealCheck>[0]): readonly string[] =>
  checked(log, options).faults.map(({ what }) => what);

const refusal = async (asking: Promise<unknown>): Promise<string> => {
  const error = await asking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isDomainError(error)) throw new Error('it was not refused', { cause: error });
  return `${error.errorType}: ${error.detail}`;
};

/** Three sealed batches, of which two are full, and a few events that are not sealed yet. */
const threeBatches = async (): Promise<GivenLog> => {
  const log = givenLog();
  await log.writeMany(1_500, 'user-ada');
  await log.writeMany(700, 'user-bob');
  log.passes(MINUTE);
  await log.seal();
  await log.writeMany(3, 'user-eve');
  return log;
};

describe('sealing the log', () => {
  it('seals nothing of an empty log, and nothing that has not waited for a minute', async () => {
    const log = givenLog();
    await log.seal();
    await log.writeMany(5);
    log.passes(MINUTE - 1);
    await log.seal();
    expect(log.seals()).to.deep.equal([]);
    log.passes(1);
    await log.seal();
    expect(log.seals().map(({ number, count, prevRoot }) => [number, count, prevRoot])).to.deep.equal([[1, 5, '']]);
  });

  it('seals a thousand events at once, however young, and goes on to the last thousand', async () => {
    const log = givenLog();
    await log.writeMany(2_400);
    await log.seal();
    expect(log.seals().map(({ count }) => count)).to.deep.equal([1_000, 1_000]);
    expect(checked(log.store.log())).to.deep.include({ seals: 2, unsealed: 400, faults: [] });
  });

  it('does not seal its own seals: a log in which nothing happens does not grow', async () => {
    const log = await threeBatches();
    for (let minute = 0; minute < 5; minute += 1) {
      log.passes(MINUTE);
      await log.seal();
    }
    expect(log.seals().map(({ count }) => count)).to.deep.equal([1_000, 1_000, 200, 3]);
  });

  it('keeps one seal of each batch when several instances seal at once', async () => {
    const log = givenLog();
    const sealers = [log.seal, log.sealer(), log.sealer(OTHER_SEED)];
    for (let round = 0; round < 10; round += 1) {
      await log.writeMany(7 * round + 1);
      log.passes(MINUTE);
      await Promise.all(sealers.map((seal) => seal()));
    }
    const report = checked(log.store.log());
    expect(report).to.deep.include({ seals: 10, unsealed: 0, faults: [] });
    expect(log.seals().map(({ number }) => number)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('goes on after another has sealed, and after a store that was away in the middle', async () => {
    const log = givenLog();
    const other = log.sealer();
    await log.writeMany(10);
    log.passes(MINUTE);
    log.store.beforeAppend(() => Promise.reject(new Error('the process has died')));
    await log.seal().catch(() => undefined);
    log.store.beforeAppend(undefined);
    await other();
    await log.writeMany(4);
    log.passes(MINUTE);
    await log.seal();
    expect(checked(log.store.log())).to.deep.include({ seals: 2, unsealed: 0, faults: [] });
  });

  it('goes on with another key, and says which keys there were', async () => {
    const log = await threeBatches();
    log.passes(MINUTE);
    await log.sealer(OTHER_SEED)();
    const keys = [SEED, OTHER_SEED].map((seed) => sealSigner(seed).keyId);
    expect(checked(log.store.log())).to.deep.include({ seals: 4, unsealed: 0, keys, faults: [] });
    expect(faultsOf(log.store.log(), { trusted: keys })).to.deep.equal([]);
    expect(faultsOf(log.store.log(), { trusted: [keys[0]!] })).to.deep.equal([`is signed by key ${keys[1]}`]);
  });
});

describe('checking the seals', () => {
  let log: readonly StoredEvent[];
  let latest: Seal;

  before(async () => {
    const given = await threeBatches();
    log = given.store.log();
    latest = (await newestSeal(given.store))!;
  });

  /** The log with one event changed; undefined takes it away. */
  const with1 = (at: number, change: (event: StoredEvent) => StoredEvent | undefined): readonly StoredEvent[] =>
    log.flatMap((event, index) => (index === at ? (change(event) ?? []) : event));
  const sealAt = (): number => log.findIndex(({ type }) => type === 'AuditBatchSealed');

  it('finds nothing wrong with a log as it was written', () => {
    expect(checked(log)).to.deep.include({ seals: 3, unsealed: 3, sealedThrough: latest.to.commit, faults: [] });
    expect(faultsOf(log, { kept: [latest] })).to.deep.equal([]);
  });

  it('finds an event that was taken away, even with all that came after it in its stream', () => {
    const without = log.filter(({ stream }) => stream !== 'user-bob');
    const chain = chainCheck();
    for (const event of without) chain.take(event);
    expect(chain.report().faults, 'which the chains alone do not').to.deep.equal([]);
    expect(faultsOf(without)).to.deep.equal([
      'covers 1000 events, and the log holds 500',
      'covers 200 events, and the log holds 0',
    ]);
  });

  it('finds a stream that was written anew with hashes that fit', async () => {
    const forged = givenLog();
    await forged.writeMany(1_499, 'user-ada');
    await forged.write('user-ada', { n: 1_000_000 });
    const chain = chainCheck();
    const rewritten = log.map((event, index) => forged.store.log()[index] ?? event);
    for (const event of rewritten) if (event.stream === 'user-ada') chain.take(event);
    expect(chain.report().faults, 'which the chains alone do not').to.deep.equal([]);
    expect(faultsOf(rewritten)).to.deep.equal(['covers other events than these']);
  });

  it('finds a seal that was changed, taken away, or is no seal at all', () => {
    const change = (data: object) =>
      with1(sealAt(), (event) => ({ ...event, data: { ...(event.data as object), ...data } }));
    expect(faultsOf(change({ count: 999 }))).to.include('is not signed by the key that it names');
    expect(faultsOf(change({ publicKey: 'AAAA' }))).to.include('is not signed by the key that it names');
    expect(faultsOf(change({ to: null }))).to.include('is no seal that can be read');
    expect(faultsOf(change({ to: { commit: 'x', prepare: '1' } }))).to.include('is no seal that can be read');
    expect(faultsOf(with1(sealAt(), () => undefined))).to.include('seals before it are missing or out of order');
    expect(faultsOf(with1(sealAt(), (event) => ({ ...event, data: null })))).to.include('is no seal that can be read');
  });

  it('finds a log that was cut off, or sealed anew with the right key, by a seal that was kept elsewhere', async () => {
    const cut = log.slice(0, 500);
    expect(faultsOf(cut)).to.deep.equal([]);
    expect(faultsOf(cut, { kept: [latest] })).to.deep.equal(['was kept elsewhere and is not in the log']);
    const forged = givenLog();
    await forged.writeMany(2_200);
    forged.passes(MINUTE);
    await forged.seal();
    expect(faultsOf(forged.store.log())).to.deep.equal([]);
    expect(faultsOf(forged.store.log(), { kept: [latest] })).to.deep.equal(['is not the one that was kept elsewhere']);
    const both = [latest, (await newestSeal(forged.store))!];
    for (const kept of [both, both.toReversed()]) {
      expect(faultsOf(forged.store.log(), { kept })).to.deep.equal(['is not the one that was kept elsewhere']);
    }
  });

  it('finds that seals are missing, all or the last of them, when they have had the time to be there', () => {
    const sealedBefore = new Date(log.at(-1)!.created.getTime() + 1);
    const missing = 'is not there, and the event of 2026-11-23T10:01:00.000Z waits for it';
    expect(faultsOf(log, { sealedBefore })).to.deep.equal([missing]);
    const unsealed = log.filter(({ type }) => type === 'Written');
    const [fault] = checked(unsealed, { sealedBefore }).faults;
    expect(fault).to.include({ stream: 'auditAnchor-log', revision: '0' });
    expect(faultsOf(log, { sealedBefore: log.at(-1)!.created })).to.deep.equal([]);
  });

  it('finds any event that is moved, changed in its hash, or put in between', () => {
    fc.assert(
      fc.property(fc.nat(2_190), fc.constantFrom('hash', 'swap', 'put'), (at, how) => {
        const index = log.slice(0, at + 1).findLastIndex(({ type }) => type === 'Written');
        const event = log[index]!;
        const next = log[index + 1]!;
        fc.pre(next.type === 'Written');
        const changed = {
          hash: () => with1(index, (one) => ({ ...one, metadata: { ...one.metadata, hash: '0'.repeat(64) } })),
          swap: () => log.map((one) => (one === event ? { ...event, metadata: next.metadata } : one)),
          put: () => log.toSpliced(index, 0, event),
        }[how]();
        expect(faultsOf(changed)).to.not.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('proving that an event is in the log', () => {
  let given: GivenLog;

  before(async () => {
    given = await threeBatches();
  });

  it('holds for events of every batch, for whoever has the proof and knows the key', async () => {
    const { keyId } = sealSigner(SEED);
    const places = [
      ['user-ada', 0n],
      ['user-ada', 999n],
      ['user-ada', 1_000n],
      ['user-ada', 1_499n],
      ['user-bob', 0n],
      ['user-bob', 499n],
      ['user-bob', 500n],
      ['user-bob', 699n],
    ] as const;
    for (const [stream, revision] of places) {
      const sent = JSON.stringify(await inclusionProof(given.store, stream, revision));
      const proof = JSON.parse(sent) as Awaited<ReturnType<typeof inclusionProof>>;
      expect(proofFaults(proof, [keyId]), `${stream}@${revision}`).to.deep.equal([]);
      expect(proof.path.length).to.be.at.most(10);
    }
  });

  it('does not hold for anything else', async () => {
    const proof = await inclusionProof(given.store, 'user-bob', 42n);
    const other = await inclusionProof(given.store, 'user-bob', 43n);
    const faults = (change: object): readonly string[] => proofFaults({ ...proof, ...change });
    expect(faults({ event: { ...proof.event, data: { n: 4_200 } } })).to.deep.equal([
      'the content of the event does not give its hash',
    ]);
    const notCovered = ['the event is not one of those that the seal covers'];
    expect(faults({ event: other.event })).to.deep.equal(notCovered);
    expect(faults({ index: other.index })).to.deep.equal(notCovered);
    expect(faults({ path: other.path })).to.deep.equal(notCovered);
    expect(faults({ event: { ...proof.event, position: other.event.position } })).to.deep.equal(notCovered);
    expect(faults({ seal: { ...proof.seal, sealedAt: '2020-01-01T00:00:00.000Z' } })).to.deep.equal([
      'the seal is not signed by the key that it names',
    ]);
    const { keyId } = sealSigner(OTHER_SEED);
    expect(proofFaults(proof, [keyId])).to.deep.equal([`the seal is signed by key ${proof.seal.keyId}`]);
  });

  it('is refused for what there is not, for what is not sealed yet, and for seals', async () => {
    const ask = (stream: string, revision: bigint) => refusal(inclusionProof(given.store, stream, revision));
    expect(await ask('user-nobody', 0n)).to.equal('not_found: there is no such event');
    expect(await ask('user-ada', 1_500n)).to.equal('not_found: there is no such event');
    const own = { id: randomUUID(), type: '$snapshot', data: {}, metadata: {} };
    await given.store.append('creditAccountSnapshot-ada', 'any', [own]);
    expect(await ask('creditAccountSnapshot-ada', 0n)).to.equal('not_found: there is no such event');
    expect(await ask('user-eve', 0n)).to.contain('not_found: this event is not sealed yet');
    expect(await ask('auditAnchor-log', 0n)).to.contain('invalid_argument');
    const empty = givenLog();
    await empty.writeMany(1);
    expect(await refusal(inclusionProof(empty.store, 'user-ada', 0n))).to.contain('not sealed yet');
  });

  it('is refused when the log is not what was sealed', async () => {
    const { store } = given;
    const log = {
      ...store,
      readAll: async (options: Parameters<typeof store.readAll>[0]) =>
        (await store.readAll(options)).filter(({ stream, revision }) => stream !== 'user-ada' || revision !== 7n),
    };
    expect(await refusal(inclusionProof(log, 'user-ada', 8n))).to.equal(
      'internal_error: seal 1 does not hold: the log is to be verified as a whole',
    );
    await inclusionProof(log, 'user-bob', 8n);
  });
});
