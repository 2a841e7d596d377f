import { expect } from 'chai';
import type { Relay } from '../../src/kernel/relay.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis-server.ts';
import { givenLinks, meetingIn, type GivenLinks } from './given-links.ts';

const comes = (what: string, probe: () => boolean): Promise<true> =>
  eventually(what, () => (probe() ? true : undefined), 20_000);

/** A relay of which single calls fail, as long as they are named in `failing`. */
const unreliable =
  (failing: ReadonlySet<string>) =>
  (relay: Relay): Relay =>
    new Proxy(relay, {
      get: (target, name): unknown =>
        failing.has(String(name)) ? () => Promise.reject(new Error(`no ${String(name)}`)) : Reflect.get(target, name),
    });

describe('the device link while the relay is away', () => {
  describe('in one step', () => {
    const STEPS: readonly (keyof Relay)[] = [
      'join',
      'leave',
      'present',
      'publish',
      'replay',
      'keepMail',
      'takeMail',
      'keepSession',
      'session',
      'addRoute',
      'routes',
      'renew',
    ];
    for (const step of STEPS) {
      it(`recovers when ${step} fails for a while`, async () => {
        const failing = new Set<string>();
        const given = await givenLinks({ timing: { renewEveryMs: 50 }, through: unreliable(failing) });
        const phone = given.phone({ pace: 0.02 });
        const desktop = given.desktop({ pace: 0.02 });
        await phone.connected();
        failing.add(step);
        phone.emit('active-session-changed', { sessionId: step });
        phone.send({ type: 'terminal.binary.bind', payload: { sessionId: 't' } });
        phone.send({ type: 'heartbeat', payload: { activeSessionId: 'other' } });
        desktop.drop();
        phone.drop();
        await comes('the phone tries', () => phone.closes.length > 0 || phone.links() > 1);
        await comes('the desktop tries', () => desktop.closes.length > 0);
        failing.clear();
        await comes('the phone is back', () => phone.links() > 1 && phone.isLinked());
        await comes('the desktop is back', () => desktop.links() > 1 && desktop.isLinked());
        expect((await phone.call('system.ping')).result).to.deep.equal({ pong: true });
        await phone.watch('t');
        desktop.print('t', 'there');
        await comes('the output', () => phone.output('t').endsWith('there'));
        await given.close();
        expect(given.violations()).to.deep.equal([]);
      });
    }
  });

  describe('of devices on several instances', () => {
    const apart = async (holdMs: number) => {
      const failing = new Set<string>();
      const given = await givenLinks({ instances: 2, timing: { holdMs }, through: unreliable(failing) });
      const phone = given.phone({ at: () => 0 });
      given.desktop({ at: () => 1 });
      await phone.connected();
      return { given, phone, failing };
    };
    const AWAY = ['present', 'send'];

    it('says that nobody knows whether the desktop is there, and not that it is offline', async () => {
      const { given, phone, failing } = await apart(50);
      AWAY.forEach((call) => failing.add(call));
      expect((await phone.call('session.list')).error?.code).to.equal(-32603);
      failing.clear();
      await given.close();
    });

    it('holds a call until the relay is back', async () => {
      const { given, phone, failing } = await apart(1_000);
      AWAY.forEach((call) => failing.add(call));
      const call = phone.call('system.ping');
      await comes('it is held', () => given.instances[0]!.link.inUse().calls === 1);
      failing.clear();
      expect((await call).result).to.deep.equal({ pong: true });
      await given.close();
    });
  });

  describe('as a whole', () => {
    let server: Awaited<ReturnType<typeof startRedis>> | undefined;
    let given: GivenLinks;
    before(async function () {
      server = await startRedis(this);
    });
    after(async () => {
      await server?.remove();
    });
    beforeEach(async () => {
      given = await givenLinks({
        instances: 3,
        meeting: meetingIn(server!.url),
        timing: { renewEveryMs: 200 },
      });
    });
    afterEach(async () => {
      await given.close();
      expect(given.violations()).to.deep.equal([]);
    });

    it('goes on after Redis was restarted and has forgotten everything', async () => {
      const phone = given.phone({ at: () => 0 });
      const desktop = given.desktop({ at: () => 1 });
      await phone.connected();
      await phone.watch('t');
      desktop.emit('job:status-changed', { jobId: 'before', sessionId: 's', status: 'completed' });
      await comes('an event', () => phone.events.some(({ payload }) => JSON.stringify(payload).includes('before')));
      await server!.stop();
      const lost = await phone.call('session.get').catch(() => undefined);
      expect(lost?.error?.code).to.be.oneOf([-32603, undefined]);
      await server!.start();
      await eventually(
        'calls go through again',
        async () => {
          const { result } = await phone.call('system.ping').catch(() => ({ result: undefined }));
          return result === undefined || result === null ? undefined : true;
        },
        20_000,
      );
      await comes('the phone is told that something may be missing', () =>
        phone.events.some(({ payload }) => payload?.['eventType'] === 'event-replay-gap'),
      );
      desktop.emit('job:status-changed', { jobId: 'after', sessionId: 's', status: 'completed' });
      await comes('events go on', () => phone.events.some(({ payload }) => JSON.stringify(payload).includes('after')));
      await eventually('the terminal goes on', () => {
        desktop.print('t', 'x');
        return phone.output('t').endsWith('x') ? true : undefined;
      });
      expect([...phone.fatal, ...desktop.fatal]).to.deep.equal([]);
    });

    it('keeps devices of one instance together while Redis is away', async () => {
      const phone = given.phone({ at: () => 0 });
      const desktop = given.desktop({ at: () => 0 });
      await phone.connected();
      await server!.stop();
      await eventually('calls go through', async () => {
        const { result } = await phone.call('system.ping').catch(() => ({ result: undefined }));
        return result === undefined || result === null ? undefined : true;
      });
      expect([phone.closes, desktop.closes]).to.deep.equal([[], []]);
      await server!.start();
    });
  });
});
