import { expect } from 'chai';
import { deviceNotes } from '../../src/app/device-notes.ts';
import { newestPaced } from '../../src/app/newest-paced.ts';
import type { Registered } from '../../src/ws/device-link/connections.ts';
import { memoryLogger } from '../support/memory-logger.ts';

const USER = '11111111-1111-4111-8111-111111111111';
const DEVICE = '22222222-2222-4222-8222-222222222222';

/** Lets everything that can go on go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Pauses that end when they are told to. */
const pauses = () => {
  const open: (() => void)[] = [];
  return {
    pause: () => new Promise<void>((resolve) => open.push(resolve)),
    end: async () => {
      for (const end of open.splice(0)) end();
      await settled();
    },
  };
};

const connection = (role: 'desktop' | 'mobile' = 'desktop'): Registered =>
  ({
    caller: { userId: USER },
    entry: { presence: { deviceId: DEVICE, role } },
    cause: () => ({ at: '2026-03-01T12:00:00.000Z' }),
  }) as unknown as Registered;

const given = () => {
  const written: string[] = [];
  const write = (text: string): Promise<void> => {
    written.push(text);
    return Promise.resolve();
  };
  const time = pauses();
  const { logger, lines } = memoryLogger();
  let isConnected = false;
  let isAway = false;
  const onRecord = new Set([`${USER} ${DEVICE}`]);
  const notes = deviceNotes({
    registry: {
      report: (_whose, presence) => write(presence),
      changeVisibility: (_whose, visible) => write(`visible ${visible}`),
      changeDirectory: (_whose, directory) => write(`in ${directory}`),
    },
    beats: { record: (deviceId) => (isAway ? Promise.reject(new Error('away')) : write(`beat of ${deviceId}`)) },
    isOnRecord: (userId, deviceId) => Promise.resolve(onRecord.has(`${userId} ${deviceId}`)),
    isConnected: () => Promise.resolve(isConnected),
    desktopOnline: (userId) => write(`woken ${userId}`),
    pause: time.pause,
    logger,
  });
  return {
    ...{ notes, written, lines, time, onRecord },
    reconnect: () => (isConnected = true),
    goAway: () => (isAway = true),
  };
};

describe('what devices say over the link', () => {
  it('goes to the log at once, and of a flood only the newest, one at a time', async () => {
    const { notes, written, time } = given();
    const desktop = connection();
    for (let n = 0; n < 1_000; n += 1) notes.directory(desktop, `/p/${n}`);
    await settled();
    expect(written).to.deep.equal(['in /p/0']);
    await time.end();
    expect(written).to.deep.equal(['in /p/0', 'in /p/999']);
    await time.end();
    notes.directory(desktop, '/again');
    await settled();
    expect(written.slice(2)).to.deep.equal(['in /again']);
  });

  it('does not let directories hold back what is said of visibility', async () => {
    const { notes, written } = given();
    notes.directory(connection(), '/p');
    notes.visibility(connection(), false);
    await settled();
    expect(written).to.deep.equal(['in /p', 'visible false']);
  });

  it('keeps no directory that is longer than a path can be', async () => {
    const { notes, written } = given();
    notes.directory(connection(), 'x'.repeat(4_097));
    notes.directory(connection(), 'x'.repeat(4_096));
    await settled();
    expect(written).to.deep.equal([`in ${'x'.repeat(4_096)}`]);
  });

  it('wakes the phones when a desktop has come, not when a phone has', async () => {
    const { notes, written } = given();
    notes.presence(connection('mobile'), true);
    await settled();
    expect(written).to.deep.equal(['online']);
    notes.presence(connection(), true);
    await settled();
    expect(written.slice(1)).to.have.members(['online', `woken ${USER}`]);
  });

  it('notes that a device has gone after a while, and not when it is back', async () => {
    const { notes, written, time, reconnect } = given();
    notes.presence(connection(), false);
    await settled();
    expect(written).to.deep.equal([]);
    await time.end();
    expect(written).to.deep.equal(['offline']);
    notes.presence(connection(), false);
    reconnect();
    await time.end();
    expect(written).to.deep.equal(['offline']);
  });

  it('records of a flood of heartbeats the first and the newest, one at a time', async () => {
    const { notes, written, time } = given();
    for (let n = 0; n < 1_000; n += 1) notes.beat(connection(), { activeJobs: n });
    await settled();
    expect(written).to.deep.equal([`beat of ${DEVICE}`]);
    await time.end();
    expect(written.length).to.equal(2);
    await time.end();
    expect(written.length).to.equal(2);
  });

  it('records no heartbeat of a device that is not on record as the user’s', async () => {
    const { notes, written, onRecord } = given();
    onRecord.clear();
    onRecord.add(`somebody else ${DEVICE}`);
    notes.beat(connection(), {});
    await settled();
    expect(written).to.deep.equal([]);
  });

  it('logs what could not be written down', async () => {
    const { notes, lines, goAway } = given();
    goAway();
    notes.beat(connection(), {});
    await settled();
    expect(lines.map(({ message }) => message)).to.deep.equal(['what a device said was not written down: heartbeat']);
  });
});

describe('paced work', () => {
  it('of one key does not hold back that of another', async () => {
    const { pause } = pauses();
    const done: string[] = [];
    const paced = newestPaced({ pause, everyMs: 1 });
    for (const key of ['a', 'b', 'a'])
      paced(key, () => {
        done.push(key);
        return Promise.resolve();
      });
    await settled();
    expect(done).to.deep.equal(['a', 'b']);
  });
});
