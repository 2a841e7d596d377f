import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { SimulatedLink } from '../support/simulated-link.ts';
import { givenLinks, type GivenLinks } from './given-links.ts';

const KIB = 1024;

const numbers = (link: SimulatedLink, type: string): readonly number[] =>
  link.events.flatMap(({ payload }) =>
    payload?.['eventType'] === type ? [(payload['payload'] as { n: number }).n] : [],
  );

const comes = (what: string, probe: () => boolean): Promise<true> =>
  eventually(what, () => (probe() ? true : undefined), 20_000);

const heardBy = ({ instances }: GivenLinks, mark: string): number =>
  instances.flatMap((instance) => instance.heard).filter((frame) => frame.includes(mark)).length;

describe('a phone that reads slowly', () => {
  let given: GivenLinks;
  beforeEach(async () => {
    given = await givenLinks({ timing: { lingerMs: 5_000, revokedMs: 5_000 } });
  });
  afterEach(async () => {
    expect(given.violations()).to.deep.equal([]);
    expect(given.faults()).to.deep.equal([]);
    await given.close();
  });

  const heard = (mark: string): number => heardBy(given, mark);

  it('misses pieces that a later message makes good, and nothing else', async () => {
    const phone = given.phone();
    const desktop = given.desktop();
    await phone.connected();
    const readOn = phone.stopReading();
    const chunk = 'x'.repeat(64 * KIB);
    for (let n = 0; n < 600; n += 1) {
      desktop.emit('job:response-appended', { jobId: 'j', sessionId: 's', n, chunk });
      if (n % 20 === 0) desktop.emit('job:metadata-updated', { jobId: 'j', sessionId: 's', n });
    }
    desktop.emit('job:finalized', { jobId: 'j', sessionId: 's', n: 600 });
    await comes('the server has heard it all', () => heard('job:finalized') === 1);
    await desktop.linked();
    readOn();
    await comes('the end', () => numbers(phone, 'job:finalized').length === 1);
    expect(numbers(phone, 'job:metadata-updated')).to.deep.equal(Array.from({ length: 30 }, (_, n) => n * 20));
    expect(numbers(phone, 'job:response-appended').length).to.be.lessThan(600);
    expect(phone.closes).to.deep.equal([]);
  });

  it('is closed with 1013 when that is not enough, and is told of a gap or gets everything on coming back', async () => {
    const phone = given.phone();
    const desktop = given.desktop();
    await phone.connected();
    const readOn = phone.stopReading();
    const state = 'x'.repeat(200 * KIB);
    for (let n = 0; n < 150; n += 1) desktop.emit('session-updated', { sessionId: 's', session: { state }, n });
    await comes('the server has heard it all', () => heard('session-updated') === 150);
    await comes('it has left', () => given.instances[0]!.link.inUse().devices === 1);
    readOn();
    await comes('it is told why', () => phone.closes.includes(1013));
    await comes('it is back', () => phone.links() === 2);
    await phone.connected();
    const types = new Set(phone.events.map(({ payload }) => payload?.['eventType']));
    await comes('the latest', () => numbers(phone, 'session-updated').includes(149));
    if (!types.has('event-replay-gap')) {
      expect(new Set(numbers(phone, 'session-updated')).size).to.equal(150);
    }
  });

  it('gets the answers that it did not read when it comes back', async () => {
    const phone = given.phone();
    const desktop = given.desktop();
    const text = 'x'.repeat(512 * KIB);
    desktop.on('job.get', ({ n }) => ({ n, text }));
    await phone.connected();
    const readOn = phone.stopReading();
    const calls = Array.from({ length: 26 }, (_, n) => phone.call('job.get', { n }));
    await comes('the desktop has answered', () => heard('xxxxxxxx') === 26);
    readOn();
    const answers = await Promise.all(calls);
    expect(answers.map(({ result }) => (result as { n: number }).n)).to.deep.equal(
      Array.from({ length: 26 }, (_, n) => n),
    );
  });

  it('hears that its session has ended, though much waits for it', async () => {
    const sessionId = randomUUID();
    const phone = given.phone({ sessionId });
    const desktop = given.desktop();
    await phone.connected();
    const readOn = phone.stopReading();
    const state = 'x'.repeat(200 * KIB);
    for (let n = 0; n < 38; n += 1) desktop.emit('session-updated', { sessionId: 's', session: { state }, n });
    await comes('the server has heard it all', () => heard('session-updated') === 38);
    await desktop.linked();
    given.endSession(sessionId);
    readOn();
    await comes('it is told', () => phone.errors.includes('authRequired'));
  });

  it('gets an error for each answer that was too much to keep, and nothing is lost without a word', async () => {
    const phone = given.phone();
    const desktop = given.desktop();
    const text = 'x'.repeat(KIB * KIB);
    const working = Promise.withResolvers<undefined>();
    desktop.on('job.get', async ({ n }) => {
      await working.promise;
      return { n, text };
    });
    await phone.connected();
    const calls = Array.from({ length: 20 }, (_, n) => phone.call('job.get', { n }));
    await comes('the desktop works', () => desktop.asked.filter(({ method }) => method === 'job.get').length === 20);
    await phone.background();
    await comes('it is gone', () => given.instances[0]!.link.inUse().devices === 1);
    working.resolve(undefined);
    await comes('all is said', () => given.warnings().length > 0 && heard('xxxxxxxx') === 20);
    phone.foreground();
    const answers = await Promise.all(calls);
    const whole = answers.filter(({ error }) => error === null);
    expect(whole.length).to.be.greaterThan(12).and.lessThan(20);
    for (const { error } of answers.slice(0, 20 - whole.length)) expect(error?.code).to.equal(-32603);
    expect(given.warnings()).to.include('too many answers wait for devices: some are gone');
    expect(phone.closes.filter((code) => code === 1013)).to.deep.equal([]);
  });
});

describe('a phone that does not read, and whose session has ended', () => {
  it('is cut off soon', async () => {
    const given = await givenLinks({ timing: { lingerMs: 120_000, revokedMs: 100 } });
    const sessionId = randomUUID();
    const phone = given.phone({ sessionId });
    const desktop = given.desktop();
    await phone.connected();
    const readOn = phone.stopReading();
    const state = 'x'.repeat(200 * KIB);
    for (let n = 0; n < 38; n += 1) desktop.emit('session-updated', { sessionId: 's', session: { state }, n });
    await comes('the server has heard it all', () => heardBy(given, 'session-updated') === 38);
    given.endSession(sessionId);
    await comes('its socket is gone', () => given.instances[0]!.link.inUse().sockets === 1);
    readOn();
    await given.close();
  });
});
