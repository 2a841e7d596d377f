import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { MAIL_LIMITS, MOST_ROUTES } from '../../infra/relay/limits.ts';
import { MAIL_SECONDS, PRESENCE_SECONDS, SESSION_SECONDS, type Delivery } from '../../src/kernel/relay.ts';
import { allSettled, presenceOn, type Relays } from './relays.ts';

/** What every Relay promises about who is where and what is handed from one to the other. */
export const relayContract = (relays: () => Relays): void => {
  const instances = () => relays().all;
  const advance = (seconds: number) => relays().advance(seconds * 1_000);
  const fresh = (): string => randomUUID();

  describe('presence', () => {
    it('is seen by all instances, the latest first', async () => {
      const [one, two, three] = instances();
      const user = fresh();
      const old = presenceOn(one, { since: 10 });
      const young = presenceOn(two, { since: 20, role: 'mobile' });
      expect(await one.relay.join(user, old)).to.equal(undefined);
      expect(await two.relay.join(user, young)).to.equal(undefined);
      for (const { relay } of [one, two, three]) expect(await relay.present(user)).to.deep.equal([young, old]);
      expect(await three.relay.present(fresh())).to.deep.equal([]);
    });

    it('names the connection that a newer one of the device replaces, and only that', async () => {
      const [one, two] = instances();
      const user = fresh();
      const before = presenceOn(one);
      const after = presenceOn(two, { deviceId: before.deviceId });
      await one.relay.join(user, before);
      await one.relay.join(user, presenceOn(one));
      expect(await two.relay.join(user, after)).to.deep.equal(before);
      expect(await two.relay.join(user, after)).to.equal(undefined);
    });

    it('is not ended by a connection that was replaced', async () => {
      const [one, two, three] = instances();
      const user = fresh();
      const before = presenceOn(one);
      const after = presenceOn(two, { deviceId: before.deviceId });
      await one.relay.join(user, before);
      await two.relay.join(user, after);
      expect(await one.relay.leave(user, before)).to.equal(false);
      expect(await three.relay.present(user)).to.deep.equal([after]);
      expect(await two.relay.leave(user, after)).to.equal(true);
      expect(await three.relay.present(user)).to.deep.equal([]);
    });

    it('ends when it is not renewed, and lives on when it is', async () => {
      const [one, two] = instances();
      const user = fresh();
      const [gone, kept] = [presenceOn(one), presenceOn(two)];
      await one.relay.join(user, gone);
      await two.relay.join(user, kept);
      await advance(PRESENCE_SECONDS - 1);
      await two.relay.renew([{ userId: user, presence: kept }]);
      await advance(2);
      expect(await one.relay.present(user)).to.deep.equal([kept]);
      // A connection that was forgotten has no successor that its end could harm.
      expect(await one.relay.leave(user, gone)).to.equal(true);
      expect(await one.relay.join(user, presenceOn(one, { deviceId: gone.deviceId }))).to.equal(undefined);
    });

    it('comes back with a renewal when it was forgotten, and the instance is told to look again', async () => {
      const [one, two] = instances();
      const user = fresh();
      const presence = presenceOn(one);
      await one.relay.join(user, presence);
      const before = one.interruptions();
      await one.relay.renew([{ userId: user, presence }]);
      expect(one.interruptions()).to.equal(before);
      await advance(PRESENCE_SECONDS + 1);
      await one.relay.renew([{ userId: user, presence }]);
      expect(await two.relay.present(user)).to.deep.equal([presence]);
      expect(one.interruptions()).to.equal(before + 1);
    });

    it('of a replaced connection does not come back with a renewal', async () => {
      const [one, two] = instances();
      const user = fresh();
      const before = presenceOn(one);
      const after = presenceOn(two, { deviceId: before.deviceId });
      await one.relay.join(user, before);
      await two.relay.join(user, after);
      await one.relay.renew([{ userId: user, presence: before }]);
      expect(await one.relay.present(user)).to.deep.equal([after]);
    });

    it('has one winner when a device connects everywhere at once, and the others are named once each', async () => {
      const user = fresh();
      const deviceId = fresh();
      for (let round = 0; round < 10; round += 1) {
        const [before] = await instances()[0].relay.present(user);
        const joining = instances().map((each) => ({ each, presence: presenceOn(each, { deviceId }) }));
        const replaced = await Promise.all(joining.map(({ each, presence }) => each.relay.join(user, presence)));
        const [winner, ...others] = await instances()[0].relay.present(user);
        expect(others).to.deep.equal([]);
        const told = replaced.flatMap((each) => (each === undefined ? [] : [each.connectionId]));
        const expected = [...joining.map(({ presence }) => presence), ...(before === undefined ? [] : [before])]
          .map(({ connectionId }) => connectionId)
          .filter((connectionId) => connectionId !== winner?.connectionId);
        expect(told.sort()).to.deep.equal(expected.sort());
      }
    });

    it('of one that comes is not lost with the one that leaves', async () => {
      const [one, two] = instances();
      for (let round = 0; round < 20; round += 1) {
        const user = fresh();
        const [leaving, coming] = [presenceOn(one), presenceOn(two)];
        await one.relay.join(user, leaving);
        await Promise.all([one.relay.leave(user, leaving), two.relay.join(user, coming)]);
        expect(await one.relay.present(user)).to.deep.equal([coming]);
      }
    });
  });

  describe('sending', () => {
    it('hands everything to the instance as it was, in order', async () => {
      const [one, two, three] = instances();
      const user = fresh();
      const bytes = Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256));
      const sent: Delivery[] = [];
      for (let n = 0; n < 40; n += 1) {
        sent.push({ kind: 'text', userId: user, deviceId: 'd', frame: `{"n":${n},"text":"zwei\\nZeilen ü 🙂"}\n` });
        sent.push({ kind: 'binary', userId: user, deviceId: 'd', frame: bytes.subarray(n) });
        sent.push({ kind: 'routes', userId: user });
        sent.push({ kind: 'superseded', userId: user, deviceId: 'd', connectionId: String(n) });
      }
      const answers = await Promise.all(sent.map((delivery) => one.relay.send(presenceOn(two), delivery)));
      expect(answers).to.deep.equal(sent.map(() => true));
      await allSettled(relays());
      const came = two.deliveries.filter(({ userId }) => userId === user);
      expect(came.map((delivery) => ('frame' in delivery ? { ...delivery, frame: String(delivery.frame) } : delivery)))
        .to.have.length(sent.length)
        .and.deep.equal(sent.map((each) => ('frame' in each ? { ...each, frame: String(each.frame) } : each)));
      const [binary] = came.flatMap((delivery) => (delivery.kind === 'binary' ? [delivery.frame] : []));
      expect(Buffer.from(binary!).equals(bytes)).to.equal(true);
      expect(three.deliveries.filter(({ userId }) => userId === user)).to.deep.equal([]);
    });

    it('says when there is nobody to take it', async () => {
      const [one] = instances();
      const nowhere = { ...presenceOn(one), instance: fresh() };
      expect(await one.relay.send(nowhere, { kind: 'routes', userId: fresh() })).to.equal(false);
    });
  });

  describe('mail', () => {
    const mail = (frame: string) => ({ frame, instead: '"gone"' });
    const frames = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `frame\n${n}`);

    it('waits for a device, oldest first, and is given once', async () => {
      const [one, two, three] = instances();
      const [user, device, other] = [fresh(), fresh(), fresh()];
      for (const frame of frames(5)) await one.relay.keepMail(user, device, mail(frame));
      await two.relay.keepMail(user, other, mail('for another'));
      await one.relay.keepMail(user, '\ud800 "\n odd', mail('for an odd one'));
      expect(await three.relay.takeMail(user, device)).to.deep.equal(frames(5));
      expect(await three.relay.takeMail(user, device)).to.deep.equal([]);
      expect(await three.relay.takeMail(user, other)).to.deep.equal(['for another']);
      expect(await three.relay.takeMail(user, '\ud800 "\n odd')).to.deep.equal(['for an odd one']);
      expect(await three.relay.takeMail(fresh(), device)).to.deep.equal([]);
    });

    it('goes to one of those who take it at once', async () => {
      const [user, device] = [fresh(), fresh()];
      for (const frame of frames(20)) await instances()[0].relay.keepMail(user, device, mail(frame));
      const taken = await Promise.all(instances().map(({ relay }) => relay.takeMail(user, device)));
      expect(taken.flat()).to.deep.equal(frames(20));
    });

    it('ends after its time, each piece for itself', async () => {
      const [{ relay }] = instances();
      const [user, device] = [fresh(), fresh()];
      await relay.keepMail(user, device, mail('old'));
      await advance(MAIL_SECONDS - 1);
      await relay.keepMail(user, device, mail('young'));
      await advance(2);
      expect(await relay.takeMail(user, device)).to.deep.equal(['young']);
      await relay.keepMail(user, device, mail('late'));
      await advance(MAIL_SECONDS + 1);
      expect(await relay.takeMail(user, device)).to.deep.equal([]);
    });

    it('is shortened when there is too much of it, the oldest first', async () => {
      const [one, two] = instances();
      const [user, device, other] = [fresh(), fresh(), fresh()];
      const big = (n: number): string => String(n).repeat(MAIL_LIMITS.bytes / 4);
      const receipts = [];
      for (let n = 0; n < 6; n += 1) {
        receipts.push(
          await one.relay.keepMail(user, n === 1 ? other : device, { frame: big(n), instead: `"no ${n}"` }),
        );
      }
      expect(receipts.map(({ shortened, isKept }) => [shortened, isKept])).to.deep.equal([
        [0, true],
        [0, true],
        [0, true],
        [1, true],
        [1, true],
        [1, true],
      ]);
      expect((await two.relay.takeMail(user, device)).map((frame) => frame.slice(0, 8))).to.deep.equal([
        '"no 0"',
        '"no 2"',
        ...['33333333', '44444444', '55555555'],
      ]);
      const whole = '9'.repeat(MAIL_LIMITS.bytes + 1);
      expect(await one.relay.keepMail(user, other, { frame: whole, instead: 'no' })).to.include({ isKept: true });
      expect(await one.relay.takeMail(user, other)).to.deep.equal(['"no 1"', whole]);
    });

    it('is refused when even short forms are too many, until what is old has gone', async () => {
      const [{ relay }] = instances();
      const [user, device] = [fresh(), fresh()];
      for (const frame of frames(MAIL_LIMITS.pieces)) await relay.keepMail(user, device, mail(frame));
      expect(await relay.keepMail(user, fresh(), mail('one more'))).to.deep.equal({ shortened: 0, isKept: false });
      await advance(MAIL_SECONDS + 1);
      expect(await relay.keepMail(user, device, mail('later'))).to.deep.equal({ shortened: 0, isKept: true });
      expect(await relay.takeMail(user, device)).to.deep.equal(['later']);
    });
  });

  describe('sessions', () => {
    const session = () => ({ sessionId: fresh(), tokenHash: 'ab'.repeat(32), userId: fresh(), deviceId: fresh() });

    it('are known to all instances until they are dropped', async () => {
      const [one, two] = instances();
      const own = session();
      await one.relay.keepSession(own);
      expect(await two.relay.session(own.sessionId)).to.deep.equal(own);
      await two.relay.dropSession(own.sessionId);
      expect(await one.relay.session(own.sessionId)).to.equal(undefined);
      await one.relay.dropSession(own.sessionId);
    });

    it('end when nobody prolongs them', async () => {
      const [{ relay }] = instances();
      const [gone, kept] = [session(), session()];
      await relay.keepSession(gone);
      await relay.keepSession(kept);
      await advance(SESSION_SECONDS - 60);
      await relay.keepSession(kept);
      await advance(120);
      expect(await relay.session(gone.sessionId)).to.equal(undefined);
      expect(await relay.session(kept.sessionId)).to.deep.equal(kept);
    });
  });

  describe('terminal routes', () => {
    const route = (n = 0) => ({ producerId: 'desktop', sessionId: `session ${n}`, consumerId: 'phone' });

    it('are known to all instances until they are removed', async () => {
      const [one, two] = instances();
      const user = fresh();
      for (const each of [route(1), route(2), route(1)]) await one.relay.addRoute(user, each);
      expect(await two.relay.routes(user)).to.have.deep.members([route(1), route(2)]);
      await two.relay.removeRoute(user, route(1));
      await two.relay.removeRoute(user, route(3));
      expect(await one.relay.routes(user)).to.deep.equal([route(2)]);
      expect(await one.relay.routes(fresh())).to.deep.equal([]);
    });

    it('end as long after they were last added as sessions do', async () => {
      const [{ relay }] = instances();
      const user = fresh();
      await relay.addRoute(user, route(1));
      await relay.addRoute(user, route(2));
      await advance(SESSION_SECONDS - 60);
      await relay.addRoute(user, route(1));
      await advance(120);
      expect(await relay.routes(user)).to.deep.equal([route(1)]);
    });

    it('are bounded: the oldest makes room', async () => {
      const [{ relay }] = instances();
      const user = fresh();
      for (let n = 0; n < MOST_ROUTES + 2; n += 1) {
        await relay.addRoute(user, route(n));
        await relays().advance(1);
      }
      const kept = await relay.routes(user);
      expect(kept).to.have.length(MOST_ROUTES);
      expect(kept).not.to.deep.include(route(1)).and.not.to.deep.include(route(0));
    });
  });

  it('answers a ping', () => instances()[0].relay.ping());
};
