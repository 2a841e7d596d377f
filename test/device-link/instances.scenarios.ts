import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { SimulatedLink } from '../support/simulated-link.ts';
import type { GivenLinks } from './given-links.ts';

const told = (link: SimulatedLink, type: string): readonly Readonly<Record<string, unknown>>[] =>
  link.events
    .filter(({ payload }) => payload?.['eventType'] === type)
    .map(({ payload }) => payload?.['payload'] as Readonly<Record<string, unknown>>);

const comes = (what: string, probe: () => boolean): Promise<true> =>
  eventually(what, () => (probe() ? true : undefined), 10_000);

/** What has to work when instances come and go. `make` gives three fresh ones. */
export const instanceScenarios = (make: () => Promise<GivenLinks>): void => {
  let given: GivenLinks;
  let phoneAt: number;
  let desktopAt: number;
  beforeEach(async () => {
    given = await make();
    phoneAt = 0;
    desktopAt = 1;
  });
  afterEach(async () => {
    await given.close();
    expect(given.violations()).to.deep.equal([]);
    expect(given.faults()).to.deep.equal([]);
  });

  const apart = () => ({
    phone: given.phone({ at: () => phoneAt }),
    desktop: given.desktop({ at: () => desktopAt }),
  });

  it('deploys under a desktop that works on a call', async () => {
    const { phone, desktop } = apart();
    const done = Promise.withResolvers<string>();
    let begun = 0;
    desktop.on('plan.create', () => {
      begun += 1;
      return done.promise;
    });
    await phone.connected();
    const call = phone.call('plan.create');
    await comes('the desktop works', () => desktop.asked.some(({ method }) => method === 'plan.create'));
    desktopAt = 2;
    const going = given.instances[1]!.deploy();
    await comes('the desktop is somewhere else', () => desktop.links() === 2);
    expect(desktop.closes).to.deep.equal([1012]);
    done.resolve('done');
    expect((await call).result).to.equal('done');
    await going;
    expect(desktop.errors).to.deep.equal([]);
    // It may be asked again when it had not confirmed the call before it went; the call's key keeps it from working twice.
    expect(begun).to.equal(1);
    await comes(
      'the last word is that it is there',
      () => told(phone, 'device-status').at(-1)?.['status'] === 'online',
    );
  });

  it('deploys under a phone that waits for an answer and for events', async () => {
    const { phone, desktop } = apart();
    const done = Promise.withResolvers<string>();
    desktop.on('plan.create', () => done.promise);
    await phone.connected();
    const call = phone.call('plan.create');
    await comes('the desktop works', () => desktop.asked.some(({ method }) => method === 'plan.create'));
    phoneAt = 2;
    await given.instances[0]!.deploy();
    done.resolve('done');
    for (let n = 0; n < 10; n += 1) {
      desktop.emit('job:status-changed', { jobId: `j${n}`, sessionId: 's', status: 'completed' });
    }
    expect((await call).result).to.equal('done');
    await comes('all events', () => told(phone, 'job:status-changed').length === 10);
    expect(phone.closes).to.deep.equal([1012]);
    expect(told(phone, 'event-replay-gap')).to.deep.equal([]);
  });

  it('goes on after the desktop’s instance has crashed', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    desktopAt = 2;
    await given.instances[1]!.crash();
    await comes('the desktop is somewhere else', () => desktop.links() === 2);
    expect((await phone.call('system.ping')).result).to.deep.equal({ pong: true });
    expect(desktop.errors).to.deep.equal([]);
  });

  it('holds a call while the desktop’s instance is crashing', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    desktopAt = 2;
    const crash = given.instances[1]!.crash();
    await comes('the desktop is cut off', () => !desktop.isLinked());
    const { result } = await phone.call('system.ping');
    expect(result).to.deep.equal({ pong: true });
    await crash;
  });

  it('keeps events and the answer for a phone whose instance has crashed', async () => {
    const { phone, desktop } = apart();
    const done = Promise.withResolvers<string>();
    desktop.on('plan.create', () => done.promise);
    await phone.connected();
    const call = phone.call('plan.create');
    await comes('the desktop works', () => desktop.asked.some(({ method }) => method === 'plan.create'));
    phoneAt = 2;
    await given.instances[0]!.crash();
    done.resolve('done');
    for (let n = 0; n < 10; n += 1) {
      desktop.emit('job:status-changed', { jobId: `j${n}`, sessionId: 's', status: 'completed' });
    }
    expect((await call).result).to.equal('done');
    await comes('all events', () => told(phone, 'job:status-changed').length === 10);
    expect(told(phone, 'event-replay-gap')).to.deep.equal([]);
  });

  it('closes the old socket on another instance when a device comes again', async () => {
    const { phone } = apart();
    await phone.linked();
    const twin = given.phone({ at: () => 2, deviceId: phone.deviceId });
    await twin.linked();
    await comes('the old one is closed', () => phone.closes.includes(4001));
    await phone.stop();
    await comes('nothing is left of it there', () => given.instances[0]!.link.inUse().devices === 0);
  });

  it('moves a watched terminal with the phone', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    await phone.watch('term-1');
    phoneAt = 2;
    const endOld = phone.switchNetwork();
    await phone.connected();
    endOld();
    await comes('the old socket is gone', () => given.instances[0]!.link.inUse().sockets === 0);
    desktop.print('term-1', 'over here');
    await comes('the output', () => phone.output('term-1').endsWith('over here'));
  });
};
