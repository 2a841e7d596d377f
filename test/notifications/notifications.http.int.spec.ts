import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.ts';
import { givenNotifications, type GivenNotifications } from './given-notifications.ts';

const hex = (): string => (randomUUID() + randomUUID()).replaceAll('-', '');

describe('notification endpoints', () => {
  let given: GivenNotifications;
  /** The user of one test. */
  let me = '';

  before(async () => {
    given = await givenNotifications();
  });
  after(() => given.close());
  beforeEach(() => {
    me = randomUUID();
    given.apns.clear();
  });

  const job = (change: object = {}) => ({
    jobId: 'job-1',
    title: 'Plan ready',
    body: 'Ada’s plan is ready',
    customData: { type: 'implementation_plan_complete', jobId: 'job-1', sessionId: 's1', projectDirectory: '/p' },
    ...change,
  });
  const notify = (kind: string, body: unknown = job()) =>
    given.call('POST', `/api/notifications/${kind}`, { body, as: me });
  const phone = (token = hex()) => given.phone(token, me);
  const sendTest = () => given.call('POST', '/api/notifications/test', { as: me });
  const counts = (sentCount: number, failedCount = 0) => ({ success: true, sentCount, failedCount });
  const events = () =>
    given.store
      .log()
      .map(({ stream, type, data }) => ({ stream, type, data: data as Readonly<Record<string, unknown>> }))
      .filter(({ stream, data }) => stream.startsWith('notification-') && data['userId'] === me);
  const types = () => events().map(({ type }) => type);
  const listed = async (query = '', as = me) => {
    const { status, body } = await given.call('GET', `/api/notifications${query}`, { as });
    expect(status).to.equal(200);
    return body as unknown as { notifications: Record<string, unknown>[]; nextBefore: string | null };
  };

  it('answers with zeros where no push service is configured, and remembers what was to be told', async () => {
    await phone();
    for (const kind of ['job-completed', 'job-failed', 'job-progress', 'test']) {
      const answer = await given.callUnconfigured('POST', `/api/notifications/${kind}`, { body: job(), as: me });
      expect(answer.status, kind).to.equal(200);
      expect(answer.body).to.have.keys('success', 'sentCount', 'failedCount', 'message').and.include(counts(0));
    }
    expect(types()).to.deep.equal(Array(3).fill('NotificationRequested'));
    expect((await listed()).notifications.map(({ status }) => status)).to.deep.equal(Array(3).fill('no_device'));
  });

  it('answers with zeros where there is nobody to tell', async () => {
    const answer = await notify('job-completed');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.include(counts(0));
    expect(given.apns.received).to.deep.equal([]);
  });

  it('tells every phone of the user, connected or not, and nobody else', async () => {
    const tokens = [hex(), hex()];
    for (const token of tokens) await phone(token);
    await given.phone(hex(), 'grace');
    expect((await notify('job-completed')).body).to.include(counts(2));
    expect(given.apns.received.map(({ token }) => token).toSorted()).to.deep.equal(tokens.toSorted());
    const [push] = given.apns.received;
    expect(push?.headers).to.include({ 'apns-push-type': 'alert', 'apns-priority': '10' });
    expect(push?.payload).to.deep.equal({
      aps: {
        alert: { title: 'Plan ready', body: 'Ada’s plan is ready' },
        badge: 1,
        sound: 'default',
        category: 'job_completed',
        'content-available': 1,
      },
      ...job().customData,
      timestamp: given.clock().toISOString(),
    });
  });

  it('sends Android’s tokens nowhere', async () => {
    const headers = { 'x-device-id': randomUUID() };
    await given.call('PUT', '/api/devices/push-token', {
      body: { platform: 'Android', token: 'fcm:1' },
      headers,
      as: me,
    });
    expect((await given.targets(me)).map(({ platform }) => platform)).to.deep.equal(['android']);
    expect((await sendTest()).body).to.include(counts(0));
    expect(given.apns.received).to.deep.equal([]);
  });

  it('takes either spelling, no custom data, and texts of any length', async () => {
    await phone();
    const body = { job_id: 'j2', title: 'x'.repeat(5000), body: 'y\0'.repeat(5000), custom_data: null };
    expect((await notify('job-failed', body)).body).to.include(counts(1));
    const long = job({ jobId: 'j3', customData: { errorMessage: 'x'.repeat(100_000) } });
    expect((await notify('job-failed', long)).body).to.include(counts(1));
    expect(given.apns.received).to.have.length(2);
  });

  it('counts the same told twice as one, and tells who has not got it', async () => {
    await phone();
    expect((await notify('job-completed')).body).to.include(counts(1));
    given.later(60_000);
    expect((await notify('job-completed')).body).to.include(counts(1));
    expect(given.apns.received).to.have.length(1);
    await phone();
    expect((await notify('job-completed')).body).to.include(counts(2));
    expect(given.apns.received).to.have.length(2);
    given.later(600_000);
    await notify('job-completed');
    expect(given.apns.received).to.have.length(4);
  });

  it('tells it once when it is told twice at the same moment, on two instances', async () => {
    await phone();
    const other = given.instance(given.gateway).telling;
    const order = {
      userId: me,
      kind: 'job-completed',
      jobId: 'job-1',
      told: { title: 'Plan ready', body: '', data: {} },
    } as const;
    const actor = { kind: 'user', id: me } as const;
    const cause = { at: given.clock().toISOString(), correlationId: 'c', causationId: randomUUID(), actor };
    const [first] = await Promise.all([notify('job-completed'), other.notify(order, cause)]);
    expect(first.status).to.equal(200);
    await eventually('the device is settled', () => (events().length > 1 ? true : undefined));
    expect(given.apns.received).to.have.length(1);
    await other.stop();
  });

  it('tells two jobs that are done as two, also to Apple', async () => {
    await phone();
    await notify('job-completed');
    await notify('job-completed', job({ jobId: 'job-2' }));
    await notify('job-failed');
    const ids = given.apns.received.map(({ headers }) => headers['apns-collapse-id']);
    expect(new Set(ids).size).to.equal(3);
  });

  it('writes down what became of it, and nothing personal in clear', async () => {
    const [good, bad] = [hex(), hex()];
    const reached = await phone(good);
    const gone = await phone(bad);
    given.apns.answerWith(({ token }) =>
      token === bad ? { status: 410, reason: 'Unregistered', timestamp: given.clock().getTime() } : { status: 200 },
    );
    expect((await notify('job-completed')).body).to.include(counts(1, 1));
    const about = { userId: me, kind: 'job-completed', jobId: 'job-1' };
    const byType = (type: string) => events().filter((event) => event.type === type);
    expect(byType('NotificationRequested')[0]?.data).to.include(about);
    expect(byType('NotificationDelivered').map(({ data }) => data)).to.have.length(1);
    expect(byType('NotificationDelivered')[0]?.data).to.include({ ...about, deviceId: reached, attempts: 1 });
    expect(byType('NotificationFailed')[0]?.data).to.include({
      ...about,
      deviceId: gone,
      reason: 'token_gone',
      detail: 'Unregistered',
    });
    const log = JSON.stringify(given.store.log().map(({ data, metadata }) => [data, metadata]));
    for (const personal of ['Plan ready', 'Ada’s plan', '"/p"', good, bad]) expect(log).not.to.contain(personal);
    expect(JSON.stringify(given.lines)).not.to.contain(bad).and.not.to.contain(good);
  });

  it('sends nothing more to a token that reaches nothing, until it is handed in again', async () => {
    const token = hex();
    const deviceId = await phone(token);
    given.apns.answerWith(() => ({ status: 400, reason: 'BadDeviceToken' }));
    await notify('job-completed');
    expect(await given.targets(me)).to.deep.equal([]);
    given.apns.answerWith(() => ({ status: 200 }));
    expect((await notify('job-failed')).body).to.include(counts(0));
    given.later(1000);
    const headers = { 'x-device-id': deviceId };
    await given.call('PUT', '/api/devices/push-token', { body: { platform: 'ios', token }, headers, as: me });
    expect((await notify('job-completed', job({ jobId: 'job-2' }))).body).to.include(counts(1));
  });

  it('learns where a token belongs by sending', async () => {
    await phone();
    await sendTest();
    expect((await given.targets(me))[0]?.environment).to.equal('sandbox');
    const ofToken = given.store.log().filter(({ stream }) => stream.startsWith('pushToken-'));
    expect(ofToken.slice(-2).map(({ type }) => type)).to.deep.equal([
      'PushTokenClaimed',
      'PushTokenEnvironmentLearned',
    ]);
  });

  for (const status of [429, 500]) {
    it(`tries again after ${status}, and says in the end that it did not work`, async () => {
      await phone();
      given.apns.answerWith((_, nth) => (nth < 3 ? { status, reason: 'Later' } : { status: 200 }));
      expect((await notify('job-completed')).body).to.include(counts(1));
      given.apns.answerWith(() => ({ status, reason: 'Later' }));
      expect((await notify('job-failed')).body).to.include(counts(0, 1));
      expect(events().at(-1)?.data).to.include({ reason: 'unavailable', detail: 'Later', attempts: 5 });
      expect(await given.targets(me)).to.have.length(1);
    });
  }

  it('answers in time when a device takes its time, and goes on', async () => {
    await phone();
    const gate = Promise.withResolvers<undefined>();
    given.apns.answerWith(async () => {
      await gate.promise;
      return { status: 200 };
    });
    const answering = notify('job-completed');
    await given.apns.got(1);
    await eventually('the answer waits', () => (given.held.waiting.length > 0 ? true : undefined));
    given.held.pass(5000);
    expect((await answering).body).to.include(counts(0, 1));
    expect((await listed()).notifications[0]).to.include({ status: 'sending', waitingCount: 1 });
    gate.resolve(undefined);
    await eventually('the device is settled', () => (events().length > 1 ? true : undefined));
    expect((await listed()).notifications[0]).to.include({ status: 'delivered', sentCount: 1, waitingCount: 0 });
  });

  it('tells progress in silence, a few times a minute, the newest of a flood last', async () => {
    await phone();
    const progress = (percent: number) =>
      notify('job-progress', job({ title: '', body: '', customData: { percent, type: 'job_progress' } }));
    expect((await progress(0)).body).to.include(counts(1));
    expect(given.apns.received[0]?.headers).to.include({ 'apns-push-type': 'background', 'apns-priority': '5' });
    expect(given.apns.received[0]?.payload['aps']).to.deep.equal({ 'content-available': 1 });
    const { length } = given.store.log();
    given.later(5000);
    for (let percent = 1; percent <= 30; percent += 1) expect((await progress(percent)).status).to.equal(200);
    expect(given.apns.received).to.have.length(1);
    expect(given.store.log()).to.have.length(length);
    given.later(10_000);
    given.held.pass(10_000);
    await given.apns.got(2);
    await eventually('it is settled', () => (events().length === 4 ? true : undefined));
    expect(given.apns.received.map(({ payload }) => payload['percent'])).to.deep.equal([0, 30]);
    expect((await listed()).notifications, 'nothing that showed').to.deep.equal([]);
  });

  it('wakes phones when a desktop comes online, not more than every five minutes', async () => {
    await given.one.telling.desktopOnline(me);
    expect(given.apns.received).to.deep.equal([]);
    await phone();
    await given.one.telling.desktopOnline(me);
    await given.one.telling.desktopOnline(me);
    expect(given.apns.received.map(({ payload }) => payload)).to.deep.equal([
      { aps: { 'content-available': 1 }, type: 'desktop_online', timestamp: given.clock().toISOString() },
    ]);
    given.later(300_000);
    await given.one.telling.desktopOnline(me);
    expect(given.apns.received).to.have.length(2);
  });

  it('never fails because a desktop came online', async () => {
    await phone();
    given.store.outage(true);
    await given.one.telling.desktopOnline(me);
    given.store.outage(false);
    expect(given.lines.some(({ level }) => level === 'warn')).to.equal(true);
  });

  it('sends a test each time it is asked to, without a body', async () => {
    await phone();
    expect((await sendTest()).body).to.include(counts(1));
    given.later(1);
    expect((await sendTest()).body).to.include(counts(1));
    expect(given.apns.received).to.have.length(2);
    expect(given.apns.received[0]?.payload['aps']).to.include({ category: 'test', sound: 'default', badge: 1 });
  });

  describe('when the process dies in the middle', () => {
    const interrupted = async () => {
      await phone();
      given.apns.answerWith(() => 'hang');
      const dying = given.instance(given.gateway);
      const actor = { kind: 'user', id: me } as const;
      const cause = { at: given.clock().toISOString(), correlationId: 'c', causationId: randomUUID(), actor };
      const told = { title: 'Plan ready', body: '', data: {} };
      void dying.telling.notify({ userId: me, kind: 'job-completed', jobId: 'job-1', told }, cause);
      await given.apns.got(1);
      await dying.telling.stop();
      given.apns.answerWith(() => ({ status: 200 }));
    };

    it('is sent by whoever finds it, and by nobody while it may still be sent', async () => {
      await interrupted();
      given.later(299_000);
      expect(await given.one.resume()).to.equal(0);
      given.later(2000);
      expect(await given.one.resume()).to.equal(1);
      expect(given.apns.received).to.have.length(2);
      const [first, second] = given.apns.received;
      expect(second?.headers['apns-collapse-id']).to.equal(first?.headers['apns-collapse-id']);
      expect(types()).to.deep.equal(['NotificationRequested', 'NotificationDelivered']);
      expect(await given.one.resume()).to.equal(0);
    });

    it('is noted as failed when it is too old to be of use', async () => {
      await interrupted();
      given.later(3_600_000);
      await given.one.resume();
      expect(given.apns.received).to.have.length(1);
      expect(events().at(-1)).to.deep.include({ type: 'NotificationFailed' });
      expect(events().at(-1)?.data).to.include({ reason: 'expired' });
      expect(await given.one.resume()).to.equal(0);
    });

    it('is noted as failed when the device is gone meanwhile', async () => {
      await interrupted();
      const [target] = await given.targets(me);
      await given.call('DELETE', `/api/devices/${target?.deviceId ?? ''}`, { as: me });
      given.later(301_000);
      await given.one.resume();
      expect(events().at(-1)?.data).to.include({ reason: 'token_gone' });
    });

    it('is not tried for ever when it cannot be written down', async () => {
      await interrupted();
      given.later(301_000);
      given.store.beforeAppend(() => {
        throw new Error('killed again');
      });
      expect(await given.one.resume()).to.equal(1);
      given.store.beforeAppend(undefined);
      given.later(3_600_000);
      expect(await given.one.resume()).to.equal(1);
      expect(events().at(-1)?.data).to.include({ reason: 'expired' });
    });

    it('is unreadable when its user was erased meanwhile', async () => {
      await interrupted();
      await given.vault.destroy(me);
      given.later(301_000);
      await given.one.resume();
      expect(given.apns.received).to.have.length(1);
      expect(events().at(-1)?.data).to.include({ reason: 'unreadable' });
    });
  });

  describe('the history', () => {
    it('shows what the user was told, the latest first, a page at a time, and to nobody else', async () => {
      await phone();
      await notify('job-completed');
      given.later(1000);
      await notify('job-failed', job({ jobId: 'job-2', title: 'It failed', body: 'Look' }));
      const first = await listed('?limit=1');
      expect(first.notifications).to.have.length(1);
      const [latest] = first.notifications;
      expect(latest).to.include({ kind: 'job-failed', jobId: 'job-2', title: 'It failed', body: 'Look' });
      expect(latest).to.include({ status: 'delivered', sentCount: 1, failedCount: 0, waitingCount: 0 });
      const second = await listed(`?limit=5&before=${encodeURIComponent(first.nextBefore ?? '')}`);
      expect(second.notifications.map(({ jobId }) => jobId)).to.deep.equal(['job-1']);
      expect(second.nextBefore).to.equal(null);
      expect((await listed('', 'grace')).notifications).to.deep.equal([]);
    });

    it('passes over none of those that were told at the same instant', async () => {
      await phone();
      const jobs = ['a', 'b', 'c', 'd', 'e'];
      for (const jobId of jobs) await notify('job-completed', job({ jobId }));
      const found: unknown[] = [];
      let page = await listed('?limit=2');
      for (let pages = 0; pages < 5 && page.nextBefore !== null; pages += 1) {
        found.push(...page.notifications.map(({ jobId }) => jobId));
        page = await listed(`?limit=2&before=${encodeURIComponent(page.nextBefore)}`);
      }
      found.push(...page.notifications.map(({ jobId }) => jobId));
      expect(found).to.have.length(5).and.to.have.members(jobs);
    });

    it('loses its texts with the user’s key', async () => {
      await phone();
      await notify('job-completed');
      await given.vault.destroy(me);
      expect((await listed()).notifications[0]).to.include({ title: null, body: null, jobId: 'job-1' });
    });

    for (const query of ['?limit=0', '?limit=201', '?limit=x', '?before=yesterday', '?before=2026-01-01T00:00:00Z~1']) {
      it(`refuses ${query}`, async () => {
        expect((await given.call('GET', `/api/notifications${query}`, { as: me })).status).to.equal(400);
      });
    }
  });

  const bad: readonly (readonly [string, unknown])[] = [
    ['a body without a job', { title: 'a', body: 'b' }],
    ['a blank job', job({ jobId: ' ' })],
    ['a job without end', job({ jobId: 'x'.repeat(201) })],
    ['a job with NUL', job({ jobId: 'a\0' })],
    ['a body without a title', { jobId: 'a', body: 'b' }],
    ['a title that is none', job({ title: 5 })],
    ['custom data that is a list', job({ customData: [1] })],
    ['custom data that is a text', job({ customData: 'x' })],
  ];
  for (const [what, body] of bad) {
    it(`refuses ${what}`, async () => {
      const answer = await notify('job-completed', body);
      expect(answer.status).to.equal(400);
      expect(answer.body).to.include({ error_type: 'validation_error', errorType: 'validation_error' });
      expect(events()).to.deep.equal([]);
    });
  }

  it('asks for a body, and for a caller', async () => {
    const unsaid = await given.call('POST', '/api/notifications/job-completed', { as: me });
    expect(unsaid.body).to.include({ error_type: 'bad_request' });
    expect((await given.call('POST', '/api/notifications/test', { as: 'nobody' })).status).to.equal(401);
  });
});
