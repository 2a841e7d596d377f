import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import type { Said, SimulatedLink } from '../support/simulated-link.ts';
import type { GivenLinks } from './given-links.ts';

/** Types of the events that an app was told, in order. */
const typesOf = (link: SimulatedLink): readonly string[] =>
  link.events.map(({ payload }) => String(payload?.['eventType']));

/** Payloads of the events of a type. */
const told = (link: SimulatedLink, type: string): readonly Readonly<Record<string, unknown>>[] =>
  link.events
    .filter(({ payload }) => payload?.['eventType'] === type)
    .map(({ payload }) => payload?.['payload'] as Readonly<Record<string, unknown>>);

const comes = (what: string, probe: () => boolean): Promise<true> =>
  eventually(what, () => (probe() ? true : undefined), 10_000);

const jobEvent = (jobId: string, status: string): object => ({ jobId, sessionId: 'session-1', status });

/** What has to work wherever the devices are connected. `make` gives fresh instances. */
export const linkScenarios = (make: () => Promise<GivenLinks>): void => {
  let given: GivenLinks;
  beforeEach(async () => {
    given = await make();
  });
  afterEach(async () => {
    await given.close();
    expect(given.violations()).to.deep.equal([]);
    expect(given.faults()).to.deep.equal([]);
  });

  const last = (): number => given.instances.length - 1;
  const apart = () => ({ phone: given.phone({ at: () => 0 }), desktop: given.desktop({ at: last }) });

  it('pairs: both come, hear of each other, and the phone reaches the desktop', async () => {
    const { phone, desktop } = apart();
    await Promise.all([phone.connected(), desktop.linked()]);
    await comes('the desktop hears of the phone', () =>
      [...told(desktop, 'device-status'), ...told(phone, 'device-status')].some(({ status }) => status === 'online'),
    );
    expect(
      desktop.asked.some(({ method, clientId }) => method === 'system.ping' && clientId === phone.deviceId),
    ).to.equal(true);
  });

  it('carries calls there and answers back, errors too', async () => {
    const { phone, desktop } = apart();
    desktop.on('session.get', ({ id }) => ({ session: { id } }));
    await phone.connected();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => phone.call('session.get', { id: `s${n}` }, { id: `call-${n}` })),
    );
    expect(answers.map(({ id, result }) => [id, (result as { session: { id: string } }).session.id])).to.deep.equal(
      Array.from({ length: 20 }, (_, n) => [`call-${n}`, `s${n}`]),
    );
    expect((await phone.call('no.such')).error?.code).to.equal(-32601);
  });

  it('says that the desktop is offline when there is none', async () => {
    const phone = given.phone();
    await phone.linked();
    expect((await phone.call('session.list')).error).to.deep.equal({ code: -32010, message: 'Desktop is offline' });
  });

  it('streams the events of a job in order', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    desktop.emit('job:created', { jobId: 'j', sessionId: 'session-1', job: { sessionId: 'session-1' } });
    for (let n = 0; n < 300; n += 1) {
      desktop.emit('job:response-appended', {
        jobId: 'j',
        sessionId: 'session-1',
        chunk: `${n} `,
        accumulatedLength: n,
      });
    }
    desktop.emit('job:finalized', { ...jobEvent('j', 'completed'), actualCost: 1 });
    await comes('the end of the job', () => typesOf(phone).includes('job:finalized'));
    const chunks = told(phone, 'job:response-appended').map(({ accumulatedLength }) => accumulatedLength);
    expect(chunks).to.deep.equal(Array.from({ length: 300 }, (_, n) => n));
    expect(told(phone, 'active-session-changed')).to.deep.equal([{ sessionId: 'session-1' }]);
    expect(typesOf(phone).indexOf('active-session-changed')).to.be.lessThan(typesOf(phone).indexOf('job:created'));
  });

  it('carries a terminal’s bytes, and unbinds it', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    desktop.print('term-1', 'before ');
    await phone.watch('term-1');
    desktop.print('term-1', 'after');
    await comes('the output', () => phone.output('term-1') === 'before after');
    phone.unwatch('term-1');
    await comes('the desktop to be told', () => desktop.watched().length === 0);
  });

  it('shows one terminal to several phones, until the last of them looks away', async () => {
    const { phone, desktop } = apart();
    const other = given.phone({ at: last });
    await Promise.all([phone.connected(), other.connected()]);
    await phone.watch('term-1');
    await other.watch('term-1');
    desktop.print('term-1', 'one');
    await comes('both see it', () => phone.output('term-1') === 'one' && other.output('term-1') === 'one');
    phone.unwatch('term-1');
    await phone.call('system.ping');
    desktop.print('term-1', ' two');
    await comes('the other still sees it', () => other.output('term-1') === 'one two');
    expect(desktop.watched()).to.deep.equal(['term-1']);
    other.unwatch('term-1');
    await comes('the desktop to be told', () => desktop.watched().length === 0);
    expect(phone.output('term-1')).to.equal('one');
  });

  it('asks a desktop that is back for the terminals that are still watched', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    await phone.watch('term-1');
    desktop.drop();
    await comes('the desktop has forgotten', () => desktop.watched().length === 0);
    await comes('the desktop is asked again', () => desktop.watched().includes('term-1'));
    desktop.print('term-1', 'still here');
    await comes('the output', () => phone.output('term-1').endsWith('still here'));
  });

  it('keeps events and finished answers for a phone in the background', async () => {
    const { phone, desktop } = apart();
    const done = Promise.withResolvers<object>();
    desktop.on('plan.create', () => done.promise);
    await phone.connected();
    const call = phone.call('plan.create');
    await comes('the desktop works', () => desktop.asked.some(({ method }) => method === 'plan.create'));
    await phone.background();
    await comes('the phone is gone', () =>
      told(desktop, 'device-status').some(({ status }) => status === 'disconnected'),
    );
    for (let n = 0; n < 20; n += 1) desktop.emit('job:status-changed', jobEvent(`j${n}`, 'completed'));
    done.resolve({ planId: 'p1' });
    const events = told(phone, 'job:status-changed').length;
    await eventually('the answer to be handed in', () =>
      given.instances[last()]!.heard.some((frame) => frame.includes('"planId"')) ? true : undefined,
    );
    phone.foreground();
    expect((await call).result).to.deep.equal({ planId: 'p1' });
    await comes('the events', () => told(phone, 'job:status-changed').length === events + 20);
    expect(told(phone, 'job:status-changed').map(({ jobId }) => jobId)).to.deep.equal(
      Array.from({ length: 20 }, (_, n) => `j${n}`),
    );
    expect(typesOf(phone)).not.to.include('event-replay-gap');
  });

  it('follows a phone to another network before the old socket is gone', async () => {
    let at = 0;
    const phone = given.phone({ at: () => at });
    const desktop = given.desktop({ at: last });
    await phone.connected();
    at = last();
    const before = told(desktop, 'device-status').length;
    const endOld = phone.switchNetwork();
    await phone.connected();
    endOld();
    desktop.emit('job:status-changed', jobEvent('j', 'running'));
    await comes('events go on', () => typesOf(phone).includes('job:status-changed'));
    expect((await phone.call('system.ping')).result).to.deep.equal({ pong: true });
    const since = told(desktop, 'device-status').slice(before);
    expect(since.filter(({ status }) => status === 'disconnected')).to.deep.equal([]);
  });

  it('holds a call for a desktop that is just reconnecting', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    desktop.drop();
    const { result } = await phone.call('system.ping');
    expect(result).to.deep.equal({ pong: true });
  });

  it('keeps the order of calls that had to wait', async () => {
    const { phone, desktop } = apart();
    const seen: unknown[] = [];
    desktop.on('terminal.write', ({ n }) => void seen.push(n));
    await phone.connected();
    const calls = Array.from({ length: 5 }, (_, n) => phone.call('terminal.write', { n }));
    desktop.drop();
    for (let n = 5; n < 30; n += 1) calls.push(phone.call('terminal.write', { n }));
    await Promise.all(calls);
    expect(seen).to.deep.equal(Array.from({ length: 30 }, (_, n) => n));
  });

  it('lets two desktops live, and asks the one that came last', async () => {
    const phone = given.phone({ at: () => 0 });
    const first = given.desktop({ at: last });
    await phone.connected();
    const second = given.desktop({ at: () => 0 });
    await second.linked();
    second.on('who', () => 'second');
    first.on('who', () => 'first');
    await comes('the first hears of the second', () =>
      told(first, 'device-status').some(({ deviceId }) => deviceId === second.deviceId),
    );
    expect((await phone.call('who')).result).to.equal('second');
    expect([first.closes, second.closes, first.links(), second.links()]).to.deep.equal([[], [], 1, 1]);
    await second.stop();
    expect((await phone.call('who')).result).to.equal('first');
  });

  it('sends a device to nobody else’s events, and answers nobody else’s calls', async () => {
    const { phone } = apart();
    const stranger = given.desktop({ userId: randomUUID() });
    await Promise.all([phone.connected(), stranger.linked()]);
    stranger.emit('job:status-changed', jobEvent('theirs', 'running'));
    stranger.send({ type: 'rpc.response', payload: { clientId: phone.deviceId, id: 'x', result: 1, isFinal: true } });
    await phone.call('system.ping');
    expect(told(phone, 'job:status-changed')).to.deep.equal([]);
    expect(phone.repeated()).to.equal(0);
    expect(stranger.asked).to.deep.equal([]);
  });

  it('refuses a device that is another user’s, and one that was removed', async () => {
    const facts = { status: 'registered', userId: randomUUID(), kind: 'mobile' } as const;
    const theirs = randomUUID();
    const removed = randomUUID();
    given.records.set(theirs, facts as never);
    given.records.set(removed, { status: 'removed' } as never);
    const phones = [theirs, removed].map((deviceId) => given.phone({ deviceId }));
    for (const phone of phones) {
      await comes('the refusal', () => phone.fatal.includes('deviceOwnershipFailed'));
      expect(phone.links()).to.equal(0);
    }
  });

  it('does not give a phone on record the calls of a desktop', async () => {
    const deviceId = randomUUID();
    given.records.set(deviceId, { status: 'registered', userId: given.userId, kind: 'mobile' } as never);
    const impostor = given.desktop({ deviceId });
    const phone = given.phone({ at: () => 0 });
    await Promise.all([impostor.linked(), phone.linked()]);
    expect((await phone.call('session.list')).error?.code).to.equal(-32010);
    expect(impostor.asked).to.deep.equal([]);
  });

  it('does not give the calls of a desktop to what no desktop has registered', async () => {
    const deviceId = randomUUID();
    given.unrecorded.add(deviceId);
    const impostor = given.desktop({ deviceId });
    const phone = given.phone({ at: () => 0 });
    await Promise.all([impostor.linked(), phone.linked()]);
    expect((await phone.call('session.list')).error?.code).to.equal(-32010);
    expect(impostor.asked).to.deep.equal([]);
  });

  it('ends the sockets of a session that was ended, after telling why', async () => {
    const sessionId = randomUUID();
    const { desktop } = apart();
    const phone = given.phone({ sessionId });
    await phone.connected();
    given.endSession(sessionId);
    await comes('the phone is told', () => phone.errors.includes('authRequired'));
    await comes('the phone is gone', () =>
      told(desktop, 'device-status').some(({ status }) => status === 'disconnected'),
    );
  });

  it('ends the link of a device that was removed', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    given.records.set(phone.deviceId, { status: 'removed' } as never);
    for (const { link } of given.instances) link.unlink(given.userId, phone.deviceId);
    await given.instances[last()]!.link.announce.unlinked(given.userId, phone.deviceId);
    for (const each of [phone, desktop]) {
      await comes('it is told', () =>
        told(each, 'device-unlinked').some(({ deviceId }) => deviceId === phone.deviceId),
      );
    }
    await comes('its socket is closed', () => phone.closes.includes(4003));
    await comes('it may not come back', () => phone.fatal.includes('deviceOwnershipFailed'));
    await comes('the desktop hears of it', () =>
      told(desktop, 'device-status').some(({ status }) => status === 'disconnected'),
    );
  });

  it('tells of the session that a device works in only when that is news', async () => {
    const desktop = given.desktop({ at: last, openSession: 'session-1', beatEveryMs: 10 });
    const phone = given.phone({ at: () => 0 });
    await phone.connected();
    const beats = (): number =>
      given.instances.flatMap(({ heard }) => heard).filter((frame) => frame.includes('"heartbeat"')).length;
    const before = beats();
    await comes('some heartbeats', () => beats() > before + 5);
    desktop.drop();
    await comes('it is back', () => desktop.links() === 2);
    await comes('some more heartbeats', () => beats() > before + 10);
    await phone.call('system.ping');
    expect(told(phone, 'active-session-changed').length).to.be.lessThan(2);
  });

  it('starts a client of another server afresh, and its ids above what it holds', async () => {
    const elsewhere = {
      sessionId: 'a'.repeat(32),
      resumeToken: 'b'.repeat(48),
      lastEventId: Date.now() + 1_000_000,
    };
    const { lastEventId } = elsewhere;
    const { desktop } = apart();
    await desktop.linked();
    const phone = given.phone({ credentials: { ...elsewhere } });
    await phone.connected();
    expect(phone.errors).to.deep.equal(['invalidResume']);
    await comes('it is told of a gap', () => typesOf(phone).includes('event-replay-gap'));
    desktop.emit('job:status-changed', jobEvent('j', 'running'));
    await comes('an event', () => typesOf(phone).includes('job:status-changed'));
    const last = phone.events.at(-1) as Said;
    expect(last.eventId).to.be.greaterThan(lastEventId);
  });

  it('takes a phone to another region and back, with all that it has kept', async () => {
    const there = await make();
    const deviceId = randomUUID();
    const credentials = {} as SimulatedLink['credentials'];
    const visit = async (region: GivenLinks): Promise<SimulatedLink> => {
      const desktop = region.desktop({ at: last });
      const phone = region.phone({ at: () => 0, deviceId, credentials });
      await phone.connected();
      const before = credentials.lastEventId ?? 0;
      desktop.emit('job:status-changed', jobEvent('j', 'running'));
      await comes('an event', () => told(phone, 'job:status-changed').length === 1);
      expect(credentials.lastEventId).to.be.greaterThan(before);
      await phone.stop();
      return phone;
    };
    await visit(given);
    const abroad = await visit(there);
    const home = await visit(given);
    expect([abroad.errors, home.errors]).to.deep.equal([['invalidResume'], ['invalidResume']]);
    await there.close();
    expect(there.violations()).to.deep.equal([]);
  });

  it('tells a client that was away for long of a gap, and one with low ids too', async () => {
    const { desktop } = apart();
    await desktop.linked();
    const phone = given.phone({ credentials: { lastEventId: 41 } });
    await phone.connected();
    await comes('it is told of a gap', () => typesOf(phone).includes('event-replay-gap'));
    const [gap] = told(phone, 'event-replay-gap');
    expect(gap).to.include({ lastEventId: 41 });
    expect(gap?.['latestBufferedId']).to.be.a('number').greaterThan(41);
    expect(gap?.['oldestBufferedId']).to.be.a('number');
  });

  it('tells the others when a device has gone, and never after it is back', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    for (let n = 2; n < 12; n += 1) {
      phone.drop();
      await comes('it is back', () => phone.links() === n);
      await phone.connected();
    }
    const of = () => told(desktop, 'device-status').filter(({ deviceId }) => deviceId === phone.deviceId);
    await comes('the last word is that it is there', () => of().at(-1)?.['status'] === 'online');
  });

  it('gives nobody what they said themselves, also when they come back', async () => {
    const { phone, desktop } = apart();
    await phone.connected();
    phone.emit('active-session-changed', { sessionId: 'from-the-phone' });
    desktop.emit('project-directory-updated', { projectDirectory: '/work' });
    await comes('the phone hears of it', () => typesOf(phone).includes('project-directory-updated'));
    desktop.drop();
    phone.drop();
    await Promise.all([
      comes('the desktop is back', () => desktop.links() === 2),
      comes('the phone is back', () => phone.links() === 2),
    ]);
    await phone.connected();
    expect(given.noted).to.include(`directory ${desktop.deviceId} /work`);
  });
};
