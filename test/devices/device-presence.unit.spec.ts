import { expect } from 'chai';
import { deviceLinks, heartbeats, type Heartbeat } from '../../commands/devices/device-presence.ts';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Presence } from '../../src/kernel/relay.ts';
import { ADA, DEVICE_ID, GRACE, T0 } from './fixtures.ts';

const beat: Heartbeat = {
  presence: 'online',
  cpuUsage: 1.5,
  memoryUsage: null,
  diskSpaceGb: 10,
  activeJobs: 0,
  at: T0,
};

describe('device presence', () => {
  it('keeps the last heartbeat for two minutes', async () => {
    let now = 1000;
    const ephemeral = memoryEphemeral({ now: () => now });
    const beats = heartbeats({ ephemeral, logger: silentLogger });
    expect(await beats.of(DEVICE_ID)).to.equal(undefined);
    await beats.record(DEVICE_ID, beat);
    now += 119_000;
    expect(await beats.of(DEVICE_ID)).to.deep.equal(beat);
    now += 2000;
    expect(await beats.of(DEVICE_ID)).to.equal(undefined);
    await ephemeral.close();
  });

  it('knows no heartbeat where something else is written', async () => {
    const ephemeral = memoryEphemeral();
    await ephemeral.put(`presence:beat:${DEVICE_ID}`, { presence: 'on' }, 60);
    expect(await heartbeats({ ephemeral, logger: silentLogger }).of(DEVICE_ID)).to.equal(undefined);
    await ephemeral.close();
  });

  it('knows a device by the living connections of the same user', async () => {
    const presence: Presence = { deviceId: DEVICE_ID, connectionId: 'c1', instance: 'i1', role: 'desktop', since: 1 };
    const relay = { present: (userId: string) => Promise.resolve(userId === ADA ? [presence] : []) };
    const links = deviceLinks({ relay, logger: silentLogger });
    expect(await links.isConnected(ADA, DEVICE_ID)).to.equal(true);
    expect(await links.isConnected(ADA, 'another')).to.equal(false);
    expect(await links.isConnected(GRACE, DEVICE_ID)).to.equal(false);
  });

  it('goes on without the shared store, and says so in the log', async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
    const away = () => Promise.reject(new Error('connection refused'));
    const deps = { ephemeral: { put: away, get: away }, logger };
    await heartbeats(deps).record(DEVICE_ID, beat);
    expect(await heartbeats(deps).of(DEVICE_ID)).to.equal(undefined);
    expect(await deviceLinks({ relay: { present: away }, logger }).isConnected(ADA, DEVICE_ID)).to.equal(false);
    expect(warnings).to.have.length(3);
  });
});
