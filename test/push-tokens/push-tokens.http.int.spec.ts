import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { givenNotifications, type GivenNotifications } from '../notifications/given-notifications.ts';
import { ada, grace } from '../support/given-http.ts';

const hex = (): string => (randomUUID() + randomUUID()).replaceAll('-', '');

describe('push token endpoints', () => {
  let given: GivenNotifications;
  let deviceId = '';
  let token = '';

  before(async () => {
    given = await givenNotifications();
  });
  after(() => given.close());
  beforeEach(() => {
    deviceId = randomUUID();
    token = hex();
  });

  type As = 'ada' | 'grace';
  const header = () => ({ 'x-device-id': deviceId });
  const put = (body: unknown, as: As = 'ada', headers: Readonly<Record<string, string>> = header()) =>
    given.call('PUT', '/api/devices/push-token', { body, headers, as });
  const registerPhone = (change: object = {}, as: As = 'ada') =>
    given.call('POST', '/api/devices/mobile/register', {
      body: { deviceName: 'iPhone', platform: 'ios', appVersion: '1.2', ...change },
      headers: header(),
      as,
    });
  /** The tokens of a user's devices, opened. */
  const tokensOf = async ({ userId } = ada) => {
    const targets = await given.targets(userId);
    return Promise.all(
      targets.map(async (target) => ({
        ...target,
        token: await given.vault.open(`pushToken-${target.tokenHash}`, target.token),
      })),
    );
  };
  const tokenOf = async (id = deviceId, who = ada) => (await tokensOf(who)).find((target) => target.deviceId === id);

  it('is kept for a registered phone, and nothing of it stands in clear in the log', async () => {
    await registerPhone();
    const answer = await put({ platform: 'ios', token: token.toUpperCase() });
    expect(answer).to.deep.equal({ status: 200, body: { success: true } });
    expect(await tokenOf()).to.include({ platform: 'ios', environment: null, bundleId: null, token });
    const log = JSON.stringify(given.store.log().map(({ stream, data, metadata }) => [stream, data, metadata]));
    expect(log.toLowerCase()).not.to.contain(token);
  });

  it('makes a device of one that nobody has, whichever comes first', async () => {
    expect((await put({ platform: 'ios', token })).status).to.equal(200);
    expect(await tokenOf()).to.include({ token });
    expect((await registerPhone()).status).to.equal(201);
    expect(await tokenOf(), 'registering again loses no token').to.include({ token });
    expect(given.types(`device-${deviceId}`)).to.deep.equal([
      'DeviceRegistered',
      'DevicePushTokenChanged',
      'DeviceUpdated',
    ]);
  });

  it('says nothing new the second time', async () => {
    await put({ platform: 'ios', token });
    const { length } = given.store.log();
    await put({ platform: 'ios', token });
    expect(given.store.log()).to.have.length(length);
  });

  it('is taken in every spelling and under every name', async () => {
    const more = { environment: 'production', bundleId: 'com.example.app' };
    await put({ platform: 'ios', token, ...more });
    expect(await tokenOf()).to.include(more);
    const bodies = [{ push_token: hex() }, { pushToken: hex() }, { device_token: hex() }, { deviceToken: hex() }];
    for (const body of bodies) {
      const answer = await put({ platform: 'ios', environment: 'development', bundle_id: 'com.example.beta', ...body });
      expect(answer.status, JSON.stringify(body)).to.equal(200);
      expect(await tokenOf()).to.include({
        token: Object.values(body)[0],
        environment: 'sandbox',
        bundleId: 'com.example.beta',
      });
    }
    token = hex();
    const registered = await given.call('POST', '/api/devices/push/register', {
      body: { deviceToken: token, platform: 'ios', environment: 'sandbox' },
      headers: header(),
    });
    expect(registered).to.deep.equal({ status: 200, body: { success: true } });
    expect(await tokenOf()).to.include({ token });
  });

  it('can be told for a device by its id', async () => {
    await registerPhone();
    const save = (as: As = 'ada', body: unknown = { pushToken: token }) =>
      given.call('POST', `/api/devices/${deviceId.toUpperCase()}/push-token`, { body, as });
    const answer = await save();
    expect(answer.status).to.equal(200);
    expect(answer.body).to.have.keys('status', 'timestamp').and.include({ status: 'push_token_saved' });
    expect(answer.body?.['timestamp']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(await tokenOf()).to.include({ token, platform: 'ios' });
    expect((await save('ada', { push_token: token })).status).to.equal(200);
    expect((await save('grace')).status).to.equal(404);
    expect((await save('ada', {})).status).to.equal(400);
    deviceId = randomUUID();
    expect((await save()).status).to.equal(404);
  });

  it('comes with a registration too, beside it or among the capabilities, and never stays among these', async () => {
    await registerPhone({ pushToken: token });
    expect(await tokenOf()).to.include({ token });
    await registerPhone();
    expect(await tokenOf()).to.include({ token });
    const next = hex();
    await registerPhone({ capabilities: { devicePushToken: next, supportsVoice: true } });
    expect(await tokenOf()).to.include({ token: next });
    deviceId = randomUUID();
    const mac = await given.call('POST', '/api/devices/register', {
      body: {
        device_name: 'Mac',
        platform: 'macos',
        app_version: '1.0.0',
        capabilities: { devicePushToken: hex(), supportsTerminal: true },
      },
      headers: { ...header(), 'x-client-type': 'desktop' },
    });
    expect(mac.status).to.equal(201);
    expect(await tokenOf()).to.include({ platform: 'macos' });
    const listed = (await given.call('GET', '/api/devices')).body as unknown as { deviceId: string }[];
    expect(listed.find((device) => device.deviceId === deviceId)).to.deep.include({
      capabilities: { supportsTerminal: true },
    });
  });

  it('reaches one device at a time: the last that handed it in', async () => {
    const first = deviceId;
    await put({ platform: 'ios', token });
    deviceId = randomUUID();
    await put({ platform: 'ios', token }, 'grace');
    expect(await tokenOf(first)).to.equal(undefined);
    expect(await tokenOf(deviceId, grace)).to.include({ token });
  });

  it('takes the place of the one before it', async () => {
    await put({ platform: 'ios', token });
    const next = hex();
    await put({ platform: 'ios', token: next });
    const own = (await tokensOf()).filter((target) => target.deviceId === deviceId);
    expect(own.map((target) => target.token)).to.deep.equal([next]);
    expect(given.store.log().at(-1)?.type).to.equal('PushTokenReleased');
  });

  it('is forbidden for somebody else’s device, and leaves that alone', async () => {
    await put({ platform: 'ios', token });
    const answer = await put({ platform: 'ios', token: hex() }, 'grace');
    expect(answer.status).to.equal(403);
    expect(answer.body).to.include({ error_type: 'forbidden', errorType: 'forbidden' });
    expect(await tokenOf()).to.include({ token });
  });

  it('goes with the device, and stays gone for the next one who has it', async () => {
    await put({ platform: 'ios', token });
    expect((await given.call('DELETE', `/api/devices/${deviceId}`)).status).to.equal(204);
    expect(await tokenOf()).to.equal(undefined);
    await registerPhone({}, 'grace');
    expect(await tokenOf(deviceId, grace)).to.equal(undefined);
    expect(
      given.store
        .log()
        .filter(({ type }) => type === 'PushTokenReleased')
        .at(-1)?.data,
    ).to.include({
      deviceId,
      reason: 'device_removed',
    });
  });

  it('goes when its user signs out of the device, and says nothing of one that has none', async () => {
    await put({ platform: 'ios', token });
    const cause = { at: given.clock().toISOString(), correlationId: 'c', causationId: randomUUID() };
    const asAda = { ...cause, actor: { kind: 'user', id: ada.userId } } as const;
    await given.tokens.drop({ userId: grace.userId, deviceId }, 'signed_out', asAda);
    expect(await tokenOf()).to.include({ token });
    await given.tokens.drop({ userId: ada.userId, deviceId }, 'signed_out', asAda);
    expect(await tokenOf()).to.equal(undefined);
    const { length } = given.store.log();
    await given.tokens.drop({ userId: ada.userId, deviceId }, 'signed_out', asAda);
    await given.tokens.drop({ userId: ada.userId, deviceId: randomUUID() }, 'signed_out', asAda);
    expect(given.store.log()).to.have.length(length);
    await put({ platform: 'ios', token });
    expect(await tokenOf(), 'signed in again').to.include({ token });
  });

  it('does not reach a device that was removed in the middle of something', async () => {
    await put({ platform: 'ios', token });
    // The process dies between the two streams.
    given.store.beforeAppend((stream) => {
      if (stream.startsWith('pushToken-')) throw new Error('killed');
    });
    try {
      expect((await given.call('DELETE', `/api/devices/${deviceId}`)).status).to.equal(500);
    } finally {
      given.store.beforeAppend(undefined);
    }
    expect(await tokenOf()).to.equal(undefined);
  });

  const bad: readonly (readonly [string, unknown])[] = [
    ['a body without a token', { platform: 'ios' }],
    ['a token that is none', { platform: 'ios', token: 5 }],
    ['an empty token', { platform: 'ios', token: '  ' }],
    ['a token with spaces', { platform: 'ios', token: 'a b' }],
    ['a token with a line end', { platform: 'ios', token: 'a\r\nx: y' }],
    ['a token without end', { platform: 'ios', token: 'a'.repeat(1025) }],
    ['an environment that Apple does not have', { platform: 'ios', token: 'abc', environment: 'staging' }],
    ['an app id that is none', { platform: 'ios', token: 'abc', bundleId: 'a/b' }],
    ['a platform without end', { platform: 'x'.repeat(51), token: 'abc' }],
    ['a list', []],
  ];
  for (const [what, body] of bad) {
    it(`refuses ${what}`, async () => {
      const answer = await put(body);
      expect(answer.status).to.equal(400);
      expect(answer.body).to.include({ error_type: 'validation_error' });
    });
  }

  it('refuses a sender without an id', async () => {
    expect((await put({ platform: 'ios', token }, 'ada', {})).body).to.include({ error_type: 'bad_request' });
    expect((await put({ platform: 'ios', token }, 'ada', { 'x-device-id': 'phone' })).status).to.equal(400);
  });

  it('shows when a device came and went', async () => {
    const mac = { deviceName: 'Mac', platform: 'macos', appVersion: '1.0.0' };
    const headers = { ...header(), 'x-client-type': 'desktop' };
    await given.call('POST', '/api/devices/register', { body: mac, headers });
    given.later(60_000);
    await given.call('POST', `/api/devices/${deviceId}/heartbeat`, { body: { status: 'away', cpu_usage: 5 } });
    const history = (as: As = 'ada') => given.call('GET', `/api/devices/${deviceId}/presence`, { as });
    const { body } = await history();
    const changes = body?.['changes'] as { status: string; since: string }[];
    expect(changes.map(({ status }) => status)).to.deep.equal(['away', 'online']);
    expect((await history('grace')).body?.['changes']).to.deep.equal([]);
  });
});
