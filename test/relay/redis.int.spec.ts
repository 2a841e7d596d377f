import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { redisRelay } from '../../infra/relay/redis-relay.ts';
import { connectRedis, redisReady } from '../../infra/redis/client.ts';
import { KEPT_EVENTS, type Keeping, type Relay } from '../../src/kernel/relay.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { eventually } from '../support/eventually.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { startRedis } from '../support/redis-server.ts';
import { freezingProxy } from './freezing-proxy.ts';
import { relayEventsContract } from './relay-events.contract.ts';
import { relayContract } from './relay.contract.ts';
import {
  allSettled,
  attached,
  eventSaying,
  eventsAt,
  presenceOn,
  settled,
  type Attached,
  type Relays,
} from './relays.ts';

const KEEP: Keeping = { how: 'keep' };

describe('the relay in a real Redis', () => {
  let server: Awaited<ReturnType<typeof startRedis>> | undefined;
  let now = Date.parse('2026-01-01T00:00:00Z');
  const log = memoryLogger();
  const connections: Redis[] = [];
  let relays: Relays;

  const connect = async (): Promise<Redis> => {
    // The largest mail takes long where much else runs.
    const redis = connectRedis({ url: server!.url, logger: log.logger, commandTimeoutMs: 10_000 });
    connections.push(redis);
    await redisReady(redis, 5_000);
    return redis;
  };
  const attach = async (clock?: () => number): Promise<Attached> => {
    const [redis, instance] = [await connect(), randomUUID()];
    return attached(
      redisRelay({ redis, instance, logger: log.logger, ...(clock === undefined ? {} : { now: clock }) }),
    );
  };
  const three = async (clock?: () => number): Promise<Relays['all']> => [
    await attach(clock),
    await attach(clock),
    await attach(clock),
  ];

  /** As if the time had gone by for Redis too. Nothing may be kept there for ever. */
  const age = async (milliseconds: number): Promise<void> => {
    const [redis] = connections;
    const keys = await redis!.keys('*');
    const left = await Promise.all(keys.map((key) => redis!.pttl(key)));
    expect(left.filter((each) => each < 0)).to.deep.equal([]);
    await Promise.all(keys.map((key, n) => redis!.pexpire(key, left[n]! - milliseconds)));
  };

  before(async function () {
    server = await startRedis(this);
    const advance = async (milliseconds: number): Promise<void> => {
      now += milliseconds;
      await age(milliseconds);
    };
    relays = { all: await three(() => now), advance };
    await allSettled(relays);
  });
  after(async () => {
    if (server === undefined) return;
    await Promise.all(relays.all.map(({ relay }) => relay.close()));
    for (const redis of connections) redis.disconnect();
    await server.remove();
  });

  relayContract(() => relays);
  describe('events', () => relayEventsContract(() => relays));

  it('keeps nothing for ever, and all keys of a user on one node', async () => {
    const [{ relay }] = relays.all;
    const user = randomUUID();
    const presence = presenceOn(relays.all[0]);
    await relay.join(user, presence);
    await relay.publish(user, eventSaying(1), { how: 'keep', replaces: 'r' });
    await relay.keepMail(user, 'd', { frame: 'frame', instead: 'gone' });
    await relay.addRoute(user, { producerId: 'p', sessionId: 's', consumerId: 'c' });
    await relay.keepSession({ sessionId: randomUUID(), tokenHash: 'h', userId: user, deviceId: 'd' });
    const keys = await connections[0]!.keys('*');
    const own = keys.filter((key) => key.includes(user));
    expect(own).to.have.length(7);
    for (const key of own) expect(key).to.include(`{${user}}`);
    for (const key of keys) expect(await connections[0]!.pttl(key), key).to.be.greaterThan(0);
  });

  it('forgets what replaced what together with the events', async () => {
    const [{ relay }] = relays.all;
    const user = randomUUID();
    const many = Array.from({ length: KEPT_EVENTS * 2 }, (_, n) => ({ how: 'keep', replaces: `${n}` }) as const);
    await Promise.all(many.map((keeping) => relay.publish(user, eventSaying(1), keeping)));
    expect(await connections[0]!.hlen(`relay:{${user}}:latest`)).to.equal(KEPT_EVENTS);
    expect(await connections[0]!.xlen(`relay:{${user}}:events`)).to.equal(KEPT_EVENTS);
  });

  for (const evicted of ['ids', 'events', 'latest']) {
    it(`shows a gap, and goes on, when Redis has thrown away ${evicted}`, async () => {
      const [one, two] = relays.all;
      const user = randomUUID();
      const keeping: Keeping = { how: 'keep', replaces: 'r' };
      const first = await one.relay.publish(user, eventSaying(1), KEEP);
      const second = await one.relay.publish(user, eventSaying(2), keeping);
      await connections[0]!.del(`relay:{${user}}:${evicted}`);
      const seen = await two.relay.replay(user, first);
      expect(seen.gap || seen.events.length === 1).to.equal(true);
      expect(await two.relay.publish(user, eventSaying(3), keeping)).to.be.greaterThan(second);
      const again = await one.relay.replay(user, second);
      expect(again.gap || again.events.length === 1).to.equal(true);
      if (evicted === 'ids') expect(again.gap).to.equal(true);
    });
  }

  it('is not harmed by a message that is none', async () => {
    const [one, two] = relays.all;
    for (const message of ['', 'x', '{}\n', '{"kind":"other"}\n', '{"kind":"event","eventId":1}\nx', '\n\n']) {
      await connections[0]!.publish(`relay:inbox:${two.relay.instance}`, message);
    }
    await settled(one, two);
    const unread = log.lines.filter(({ message }) => message === 'a message between instances could not be read');
    expect(unread).to.have.length(6);
  });

  it('uses the clock of Redis unless another is given', async () => {
    const { relay } = await attach();
    const before = Date.now();
    expect(await relay.publish(randomUUID(), eventSaying(1), KEEP)).to.be.within(before - 1_000, Date.now() + 1_000);
    await relay.close();
  });

  describe('that is lost and comes back', () => {
    let all: Relays['all'];
    let late: Attached;
    const settle = () => allSettled({ ...relays, all });
    const route = { producerId: 'p', sessionId: 's', consumerId: '' };
    const calls = (relay: Relay): readonly Promise<unknown>[] => {
      const presence = presenceOn(all[1]);
      return [
        relay.join('u', presence),
        relay.renew([{ userId: 'u', presence }]),
        relay.leave('u', presence),
        relay.present('u'),
        relay.publish('u', eventSaying(1), KEEP),
        relay.replay('u', 1),
        relay.send(presence, { kind: 'routes', userId: 'u' }),
        relay.keepMail('u', 'd', { frame: 'f', instead: 'gone' }),
        relay.takeMail('u', 'd'),
        relay.keepSession({ sessionId: 's', tokenHash: 'h', userId: 'u', deviceId: 'd' }),
        relay.session('s'),
        relay.dropSession('s'),
        relay.addRoute('u', route),
        relay.removeRoute('u', route),
        relay.routes('u'),
        relay.ping(),
      ];
    };

    before(async () => {
      all = await three();
      await settle();
    });
    after(() => Promise.all([...all, late].map(({ relay }) => relay.close())));

    it('comes back with the next renewal when everything was thrown away', async () => {
      const [one, two] = all;
      const user = randomUUID();
      const presence = presenceOn(one);
      const own = { ...route, consumerId: presence.deviceId };
      await one.relay.join(user, presence);
      await one.relay.addRoute(user, own);
      // As after a clock that was set back: ids are ahead of it.
      const ahead = Date.now() + 1_000_000_000;
      await one.relay.replay(user, ahead);
      const last = await two.relay.publish(user, eventSaying('before'), KEEP);
      await settle();
      const interruptions = one.interruptions();

      await connections[0]!.flushall();
      const unseen = await one.relay.publish(user, eventSaying('meanwhile'), KEEP);
      expect(unseen).to.be.greaterThan(last);
      await one.relay.renew([{ userId: user, presence }]);

      expect(await two.relay.present(user)).to.deep.equal([presence]);
      expect(await two.relay.routes(user)).to.deep.equal([own]);
      expect(one.interruptions()).to.equal(interruptions + 1);
      const missed = await one.relay.replay(user, last);
      expect(missed.gap).to.equal(true);
      expect(missed.events.map(({ payload }) => payload)).to.deep.equal(['meanwhile']);
      await two.relay.publish(user, eventSaying('after'), KEEP);
      await settle();
      expect(eventsAt(one, user).map(({ payload }) => payload)).to.deep.equal(['before', 'after']);
    });

    it('goes on when Redis has forgotten its scripts', async () => {
      await connections[0]!.script('FLUSH');
      const answers = await Promise.allSettled(calls(all[0].relay));
      expect(answers.filter(({ status }) => status === 'rejected')).to.deep.equal([]);
    });

    it('tells of an interruption when messages could not be heard for a moment', async () => {
      const [one, two] = all;
      const before = one.interruptions();
      const [redis] = connections;
      await redis!.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await eventually('it is told', () => (one.interruptions() > before ? true : undefined));
      await settled(two, one);
    });

    it('notices a connection on which nothing comes any more', async () => {
      const proxy = await freezingProxy(Number(new URL(server!.url).port));
      const redis = connectRedis({
        url: `redis://127.0.0.1:${proxy.port}`,
        logger: silentLogger,
        commandTimeoutMs: 300,
      });
      const instance = randomUUID();
      const behind = attached(redisRelay({ redis, instance, logger: silentLogger, checkEveryMs: 200 }));
      await settled(all[0], behind);
      proxy.freeze();
      await eventually('it is told', () => (behind.interruptions() > 1 ? true : undefined), 10_000);
      await settled(all[0], behind);
      await behind.relay.ping();
      await behind.relay.close();
      redis.disconnect();
      proxy.close();
    });

    it('rejects at once while Redis is away, whatever is asked', async () => {
      const [one] = all;
      await server!.stop();
      await eventually('it is noticed', () =>
        one.relay.ping().then(
          () => undefined,
          () => true,
        ),
      );
      for (const answer of await Promise.allSettled(calls(one.relay))) {
        const error: unknown = answer.status === 'rejected' ? answer.reason : 'answered';
        expect(error).to.be.an('error').with.property('name', 'RedisUnavailableError');
      }
    });

    it('begins while Redis is away', async () => {
      const redis = connectRedis({ url: server!.url, logger: log.logger });
      connections.push(redis);
      late = attached(redisRelay({ redis, instance: randomUUID(), logger: log.logger }));
      const error: unknown = await late.relay.routes('u').catch((reason: unknown) => reason);
      expect(error).to.be.an('error').with.property('name', 'RedisUnavailableError');
    });

    it('tells all of an interruption when Redis is back empty, and of a gap for what was said meanwhile', async () => {
      const user = randomUUID();
      const [one, two] = all;
      const before = all.map(({ interruptions }) => interruptions());
      await one.relay.publish(user, eventSaying('lost'), KEEP).catch(() => undefined);
      await server!.start();
      await eventually('all are told', () =>
        all.every(({ interruptions }, n) => interruptions() > before[n]!) ? true : undefined,
      );
      await settled(one, late);
      const presence = presenceOn(two);
      await two.relay.join(user, presence);
      const next = await two.relay.publish(user, eventSaying('next'), KEEP);
      const told = two.interruptions();
      // The first that hears of the user from the instance that lost something says so to all others.
      const last = await one.relay.publish(user, eventSaying('last'), KEEP);
      await settle();
      await eventually('the others look again', () => (two.interruptions() > told ? true : undefined));
      expect((await two.relay.replay(user, next)).gap).to.equal(true);
      expect((await two.relay.replay(user, last)).gap).to.equal(false);
      expect(eventsAt(two, user).map(({ payload }) => payload)).to.deep.equal(['next', 'last']);
    });

    it('logs an outage once', () => {
      const said = log.lines.filter(({ message }) => message === 'redis is away');
      // One line a connection for commands.
      expect(said).to.have.length(connections.length);
    });
  });
});
