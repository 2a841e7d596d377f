import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { redisEphemeral } from '../../infra/ephemeral/redis-ephemeral.ts';
import { redisPacer } from '../../infra/ephemeral/redis-pacer.ts';
import { redisLimiter } from '../../infra/ephemeral/redis-limiter.ts';
import { connectRedis, redisReady } from '../../infra/redis/client.ts';
import { isUnavailable } from '../../src/http/faults.ts';
import type { EphemeralStore } from '../../src/kernel/ephemeral.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Limiter } from '../../src/kernel/limiter.ts';
import { eventually } from '../support/eventually.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { startRedis } from '../support/redis-server.ts';
import { ephemeralContract } from './ephemeral.contract.ts';
import { limiterContract } from './limiter.contract.ts';
import { pacerContract } from './pacer.contract.ts';

describe('on a real Redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>> | undefined;
  let redis: Redis;
  let store: EphemeralStore;
  let limiter: Limiter;
  const log = memoryLogger();

  before(async function () {
    server = await startRedis(this);
    redis = connectRedis({ url: server.url, logger: log.logger, commandTimeoutMs: 10_000 });
    store = redisEphemeral(redis);
    limiter = redisLimiter(redis);
    await redisReady(redis, 5000);
  });
  after(async () => {
    if (server === undefined) return;
    await store.close();
    await server.remove();
  });

  describe('ephemeral state', () => {
    ephemeralContract(
      () => store,
      (key) =>
        eventually(`${key} expires`, async () => ((await store.get(key)) === undefined ? true : undefined)).then(
          () => undefined,
        ),
    );
  });

  describe('rate limits', () => {
    limiterContract(() => limiter);

    it('are shared by all who count there, and every counter ends', async () => {
      const other = connectRedis({ url: server!.url, logger: silentLogger });
      await redisReady(other, 5000);
      const rule = { name: 'shared', max: 2, windowSeconds: 60 };
      await limiter.use(rule, 'key');
      expect((await redisLimiter(other).use(rule, 'key')).remaining).to.equal(0);
      expect((await limiter.use(rule, 'key')).allowed).to.equal(false);
      for (const key of await other.keys('rl:*')) expect(await other.pttl(key), key).to.be.greaterThan(0);
      other.disconnect();
    });
  });

  describe('pace', () => {
    pacerContract(() => redisPacer(redis));

    it('is shared by all who send, and every bucket ends', async () => {
      const other = connectRedis({ url: server!.url, logger: silentLogger });
      await redisReady(other, 5000);
      const rule = { name: 'shared', burst: 2, everyMs: 60_000 };
      const [here, there] = [redisPacer(redis), redisPacer(other)];
      expect([await here.take(rule, 'key'), await there.take(rule, 'key')]).to.deep.equal([0, 0]);
      expect(await here.take(rule, 'key')).to.be.within(1, 60_000);
      expect(await there.take(rule, 'key')).to.be.within(1, 60_000);
      for (const key of await other.keys('pace:*')) expect(await other.pttl(key), key).to.be.within(1, 1_200_000);
      other.disconnect();
    });
  });

  it('hands every answer to whoever asked, also when a rule is used for the first time among other commands', async () => {
    const fresh = connectRedis({ url: server!.url, logger: silentLogger });
    const [own, limits] = [redisEphemeral(fresh), redisLimiter(fresh)];
    await redisReady(fresh, 5000);
    await own.put('first', 1, 60);
    await own.put('second', 2, 60);
    const rule = { name: 'new', max: 5, windowSeconds: 60 };
    const answers = await Promise.all([own.get('first'), limits.use(rule, 'key'), own.get('second')]);
    expect([answers[0], answers[1].remaining, answers[2]]).to.deep.equal([1, 4, 2]);
    fresh.disconnect();
  });

  describe('while Redis is away', () => {
    before(() => server!.stop());

    it('keeps a pace, in this process alone', async () => {
      const pacer = redisPacer(redis);
      const rule = { name: 'alone', burst: 2, everyMs: 60_000 };
      expect([await pacer.take(rule, 'key'), await pacer.take(rule, 'key')]).to.deep.equal([0, 0]);
      expect(await pacer.take(rule, 'key')).to.be.within(1, 60_000);
    });

    it('keeps counting, in this process alone', async () => {
      const rule = { name: 'alone', max: 2, windowSeconds: 60 };
      const standings = [];
      for (let n = 0; n < 3; n += 1) standings.push((await limiter.use(rule, 'key')).allowed);
      expect(standings).to.deep.equal([true, true, false]);
      expect((await limiter.look(rule, 'key')).allowed).to.equal(false);
      expect((await limiter.look(rule, 'somebody else')).allowed).to.equal(true);
    });

    it('rejects at once with what the edge answers as 503', async () => {
      for (const command of [
        store.get('k'),
        store.take('k'),
        store.put('k', 1, 5),
        store.claim('k', 1, 5),
        store.ping(),
      ]) {
        const error: unknown = await command.then(
          () => 'answered',
          (reason: unknown) => reason,
        );
        expect(error).to.be.an('error').with.property('name', 'RedisUnavailableError');
        expect(isUnavailable(error)).to.equal(true);
      }
    });

    it('is used again when it is back, and logs the outage in two lines', async () => {
      await server!.start();
      await redisReady(redis, 10_000);
      await store.put('back', true, 5);
      expect(await store.get('back')).to.equal(true);
      expect(log.lines.map(({ level, message }) => `${level} ${message}`)).to.deep.equal([
        'warn redis is away',
        'info redis is back',
      ]);
    });
  });
});
