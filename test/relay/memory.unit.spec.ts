import { expect } from 'chai';
import { memoryRelay } from '../../infra/relay/memory-relay.ts';
import type { Delivery } from '../../src/kernel/relay.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { relayEventsContract } from './relay-events.contract.ts';
import { relayContract } from './relay.contract.ts';
import { attached, eventSaying, presenceOn, type Attached, type Relays } from './relays.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

describe('the relay in this process', () => {
  let now = START;
  const { attach } = memoryRelay({ now: () => now });
  const all: readonly [Attached, Attached, Attached] = [
    attached(attach('one')),
    attached(attach('two')),
    attached(attach('three')),
  ];
  const relays: Relays = {
    all,
    advance: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
  after(() => Promise.all(all.map(({ relay }) => relay.close())));

  relayContract(() => relays);
  describe('events', () => relayEventsContract(() => relays));

  it('keeps the order when a delivery leads to another', async () => {
    const hub = memoryRelay({ now: () => START });
    const [first, second] = [hub.attach('first'), attached(hub.attach('second'))];
    const echo = (delivery: Delivery): void => {
      if (delivery.kind === 'event' && delivery.event.payload === 'call') {
        void first.publish('user', eventSaying('answer'), { how: 'keep' });
      }
    };
    first.onDelivery(echo);
    await first.join('user', { ...presenceOn(second), instance: 'first' });
    await first.join('user', presenceOn(second));
    await first.publish('user', eventSaying('call'), { how: 'keep' });
    const heard = second.deliveries.flatMap((delivery) => (delivery.kind === 'event' ? [delivery.event.payload] : []));
    expect(heard).to.deep.equal(['call', 'answer']);
    await Promise.all([first.close(), second.relay.close()]);
  });

  it('is not harmed by one who cannot take a delivery', async () => {
    const log = memoryLogger();
    const hub = memoryRelay({ now: () => START, logger: log.logger });
    const [broken, whole] = [hub.attach('broken'), attached(hub.attach('whole'))];
    broken.onDelivery(() => {
      throw new Error('no');
    });
    await broken.join('user', { ...presenceOn(whole), instance: 'broken' });
    await broken.join('user', presenceOn(whole));
    await broken.publish('user', eventSaying(1), { how: 'keep' });
    expect(whole.deliveries).to.have.length(1);
    expect(log.lines.map(({ level }) => level)).to.deep.equal(['error']);
    await Promise.all([broken.close(), whole.relay.close()]);
  });

  it('keeps no more bytes of all users together than so many: the longest absent are told of a gap', async () => {
    const hub = memoryRelay({ now: () => START, mostBytes: 1024 * 1024 });
    const relay = hub.attach('alone');
    const large = 'x'.repeat(200 * 1024);
    const ids = [];
    for (let n = 0; n < 10; n += 1) ids.push(await relay.publish(`user ${n}`, eventSaying(large), { how: 'keep' }));
    const gaps = [];
    for (let n = 9; n >= 0; n -= 1) gaps.unshift((await relay.replay(`user ${n}`, ids[n]!)).gap);
    expect(gaps).to.deep.equal([true, true, true, true, true, false, false, false, false, false]);
    await relay.close();
  });

  it('forgets what was kept for an instance that is closed', async () => {
    const hub = memoryRelay();
    const [one, two] = [hub.attach('one'), hub.attach('two')];
    const there = { deviceId: 'd', connectionId: 'c', instance: 'two', role: 'mobile', since: 1 } as const;
    await two.close();
    expect(await one.send(there, { kind: 'routes', userId: 'user' })).to.equal(false);
    await one.close();
  });
});
