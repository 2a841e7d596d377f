import { expect } from 'chai';
import { memoryPacer } from '../../infra/ephemeral/memory-pacer.ts';
import { PACE, pushPace, type Admission, type Lane } from '../../commands/notifications/pacing.ts';

/** A clock that a test moves; whoever waits for it is woken in order. */
const fakeClock = () => {
  let now = 0;
  const waiting: { at: number; wake: () => void }[] = [];
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
  };
  return {
    now: () => now,
    wait: (milliseconds: number) =>
      new Promise<void>((wake) => {
        waiting.push({ at: now + milliseconds, wake });
      }),
    settled,
    pass: async (milliseconds: number): Promise<void> => {
      const until = now + milliseconds;
      for (;;) {
        await settled();
        const next = waiting.toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > until) break;
        waiting.splice(waiting.indexOf(next), 1);
        now = next.at;
        next.wake();
      }
      now = until;
      await settled();
    },
  };
};

const never = new AbortController().signal;

const given = () => {
  const clock = fakeClock();
  const pacer = memoryPacer(clock.now);
  const paces = [pushPace({ pacer, wait: clock.wait }), pushPace({ pacer, wait: clock.wait })] as const;
  const ask = (lane: Lane, collapseId: string, device = 'phone', signal = never, instance: 0 | 1 = 0) => {
    const asked: { admission: Admission | 'stopped' | undefined } = { admission: undefined };
    paces[instance].admit(device, lane, collapseId, signal).then(
      (admission) => (asked.admission = admission),
      () => (asked.admission = 'stopped'),
    );
    return asked;
  };
  const count = (list: readonly ReturnType<typeof ask>[], what: Admission | undefined): number =>
    list.filter(({ admission }) => admission === what).length;
  return { clock, ask, count };
};

describe('the pace of pushes', () => {
  it('lets a burst of alerts through at once, and the rest one by one', async () => {
    const { clock, ask, count } = given();
    const asked = Array.from({ length: 25 }, (_, index) => ask('alert', `job-${index}`));
    await clock.settled();
    expect(count(asked, 'go')).to.equal(PACE.alert.burst);
    await clock.pass(PACE.alert.everyMs);
    expect(count(asked, 'go')).to.equal(PACE.alert.burst + 1);
    await clock.pass(PACE.alert.everyMs * 4);
    expect(count(asked, 'go')).to.equal(25);
  });

  it('keeps the newest of a flood of progress', async () => {
    const { clock, ask, count } = given();
    const asked = [];
    for (let told = 0; told < PACE.silent.burst; told += 1) {
      asked.push(ask('silent', 'job-1'));
      await clock.settled();
    }
    expect(count(asked, 'go')).to.equal(PACE.silent.burst);
    const more = Array.from({ length: 100 }, () => ask('silent', 'job-1'));
    await clock.settled();
    expect(more.at(-1)?.admission).to.equal(undefined);
    expect(count(more, 'superseded')).to.equal(99);
    await clock.pass(PACE.silent.everyMs);
    expect(more.at(-1)?.admission).to.equal('go');
  });

  it('tells a flood that comes all at once as one', async () => {
    const { clock, ask, count } = given();
    const asked = Array.from({ length: 100 }, () => ask('silent', 'job-1'));
    await clock.settled();
    expect([count(asked, 'superseded'), asked.at(-1)?.admission]).to.deep.equal([99, 'go']);
  });

  it('is one for a device, however many instances send to it', async () => {
    const { clock, ask, count } = given();
    const asked = Array.from({ length: 25 }, (_, index) => [
      ask('alert', `one-${index}`, 'phone', never, 0),
      ask('alert', `two-${index}`, 'phone', never, 1),
    ]).flat();
    await clock.settled();
    expect(count(asked, 'go')).to.equal(PACE.alert.burst);
    await clock.pass(PACE.alert.everyMs * 10);
    expect(count(asked, 'go')).to.equal(PACE.alert.burst + 10);
    await clock.pass(PACE.alert.everyMs * 20);
    expect(count(asked, 'go')).to.equal(50);
  });

  it('tells the progress of several jobs in turn, and gives the oldest up when too many wait', async () => {
    const { clock, ask, count } = given();
    for (let used = 0; used < PACE.silent.burst; used += 1) ask('silent', `used-${used}`);
    await clock.settled();
    const asked = Array.from({ length: PACE.silent.mostWaiting + 1 }, (_, index) => ask('silent', `job-${index}`));
    await clock.settled();
    expect(asked[0]?.admission).to.equal('superseded');
    await clock.pass(PACE.silent.everyMs * PACE.silent.mostWaiting);
    expect(count(asked, 'go')).to.equal(PACE.silent.mostWaiting);
  });

  it('never lets one alert take the place of another', async () => {
    const { clock, ask, count } = given();
    const asked = Array.from({ length: PACE.alert.burst + 10 }, () => ask('alert', 'same'));
    await clock.pass(PACE.alert.everyMs * 10);
    expect(count(asked, 'go')).to.equal(PACE.alert.burst + 10);
  });

  it('is kept for each device and lane apart', async () => {
    const { clock, ask } = given();
    for (let used = 0; used < 8; used += 1) ask('silent', `job-${used}`, 'phone');
    const [other, alert] = [ask('silent', 'job', 'tablet'), ask('alert', 'job', 'phone')];
    await clock.settled();
    expect([other.admission, alert.admission]).to.deep.equal(['go', 'go']);
  });

  it('is full again after a while, and never fuller', async () => {
    const { clock, ask, count } = given();
    Array.from({ length: PACE.alert.burst }, (_, index) => ask('alert', `${index}`));
    await clock.pass(PACE.alert.everyMs * 1000);
    const asked = Array.from({ length: PACE.alert.burst + 5 }, (_, index) => ask('alert', `${index}`));
    await clock.settled();
    expect(count(asked, 'go')).to.equal(PACE.alert.burst);
  });

  it('lets go of those who wait when the server stops', async () => {
    const { clock, ask } = given();
    const stop = new AbortController();
    for (let used = 0; used < PACE.silent.burst; used += 1) ask('silent', `used-${used}`);
    await clock.settled();
    const waiting = ask('silent', 'job', 'phone', stop.signal);
    stop.abort();
    const late = ask('silent', 'job', 'phone', stop.signal);
    await clock.settled();
    expect([waiting.admission, late.admission]).to.deep.equal(['stopped', 'stopped']);
  });
});
