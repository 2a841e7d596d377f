import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { deviceLinks, heartbeats } from '../../commands/devices/device-presence.ts';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import { memoryRelay } from '../../infra/relay/memory-relay.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { devicesProjection } from '../../projections/devices/devices.projection.ts';
import { deviceEndpoints } from '../../src/http/routes/devices/index.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { ada, grace, startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { givenPushTokens } from './given-push-tokens.ts';

const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);

const listed = z.strictObject({
  deviceId: z.uuid(),
  deviceName: z.string(),
  deviceType: z.literal('desktop'),
  platform: z.enum(['macos', 'windows', 'linux']),
  platformVersion: z.string().nullable(),
  appVersion: z.string(),
  status: z.enum(['online', 'offline', 'away']),
  lastHeartbeat: instant.nullable(),
  cpuUsage: z.number().nullable(),
  memoryUsage: z.number().nullable(),
  diskSpaceGb: z.int().nullable(),
  activeJobs: z.int(),
  capabilities: z.record(z.string(), z.unknown()),
  isConnected: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
});

const registered = z.strictObject({ deviceId: z.uuid(), status: z.string(), createdAt: instant, updatedAt: instant });

const mac = { deviceName: 'Mac', platform: 'macos', appVersion: '1.0.0' };

type Answer = Readonly<{ status: number; body: unknown }>;

describe('device endpoints', () => {
  const folder = temporaryFolder();
  const store = memoryEventStore();
  const vault = sqliteVault({ masterKey: '07'.repeat(32), path: join(folder, 'vault.db') });
  const ephemeral = memoryEphemeral();
  const relay = memoryRelay().attach('one');
  let now = new Date('2026-01-01T00:00:00.000Z');
  let readSide: ReadSide;
  let http: HttpUnderTest;
  let deviceId = '';

  before(async () => {
    readSide = await startReadSide([devicesProjection], { store, vault });
    http = await startHttp(
      deviceEndpoints({
        ...givenPushTokens(store, vault),
        queries: readSide.queries,
        links: deviceLinks({ relay, logger: silentLogger }),
        beats: heartbeats({ ephemeral, logger: silentLogger }),
      }),
      { clock: () => now },
    );
  });

  after(async () => {
    await http.close();
    await readSide.close();
    await vault.close();
    await ephemeral.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    deviceId = randomUUID();
  });

  type Request = Readonly<{ body?: unknown; headers?: Readonly<Record<string, string>>; as?: 'ada' | 'grace' }>;

  const call = async (
    method: string,
    path: string,
    { body, headers = {}, as = 'ada' }: Request = {},
  ): Promise<Answer> => {
    const response = await fetch(`${http.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };

  const register = (change: object = {}, request: Request = {}): Promise<Answer> =>
    call('POST', '/api/devices/register', {
      body: { ...mac, ...change },
      ...request,
      headers: { 'x-device-id': deviceId, 'x-client-type': 'desktop', ...request.headers },
    });

  const list = async (query = '', as: 'ada' | 'grace' = 'ada') => {
    const { status, body } = await call('GET', `/api/devices${query}`, { as });
    expect(status).to.equal(200);
    return z.array(listed).parse(body);
  };

  const mine = async (query = '') => (await list(query)).find((entry) => entry.deviceId === deviceId);
  const messageOf = ({ body }: Answer): string => (body as { message: string }).message;
  const events = () => store.log().filter(({ stream }) => stream === `device-${deviceId}`);
  const connect = (userId = ada.userId) =>
    relay.join(userId, { deviceId, connectionId: randomUUID(), instance: 'one', role: 'desktop', since: 1 });

  describe('registering a desktop', () => {
    it('answers 201 with the four members and dates with six decimals', async () => {
      const { status, body } = await register();
      expect(status).to.equal(201);
      expect(registered.parse(body)).to.include({ deviceId, status: 'online' });
    });

    it('works under the documented path too, and offline when it may not be relayed to', async () => {
      const answer = await call('POST', '/api/devices', {
        body: { ...mac, relayEligible: false, deviceType: 'desktop', localIps: null },
        headers: { 'x-device-id': deviceId.toUpperCase(), 'x-client-type': 'desktop', 'x-token-binding': deviceId },
      });
      expect(answer.status).to.equal(201);
      expect(registered.parse(answer.body)).to.include({ deviceId, status: 'offline' });
    });

    it('writes nothing personal in clear, and nothing at all the second time', async () => {
      const details = { deviceName: 'Ada Mac Book', publicIp: '203.0.113.9', localIps: ['192.168.7.7'] };
      const capabilities = { supportsTerminal: true, activeProjectDirectory: '/home/ada/secret' };
      await register({ ...details, capabilities });
      const text = JSON.stringify(events().map(({ data, metadata }) => [data, metadata]));
      for (const personal of ['Ada Mac Book', '203.0.113.9', '192.168.7.7', '/home/ada', 'supportsTerminal']) {
        expect(text).not.to.contain(personal);
      }
      expect(events().map(({ type }) => type)).to.deep.equal(['DeviceRegistered', 'DeviceDirectoryChanged']);
      await register({ ...details, capabilities });
      await register(details);
      expect(events()).to.have.length(3);
      expect(events().at(-1)?.type, 'capabilities went, the directory stayed').to.equal('DeviceUpdated');
      expect((await mine())?.capabilities).to.deep.equal({ activeProjectDirectory: '/home/ada/secret' });
    });

    const refused: readonly (readonly [string, object, Readonly<Record<string, string>>, string])[] = [
      ['a header that is no UUID', {}, { 'x-device-id': 'mac' }, 'Bad request: invalid_device_id_header'],
      ['another client type', {}, { 'x-client-type': 'mobile' }, 'Bad request: invalid_client_type'],
      ['a platform without desktops', { platform: 'ios' }, {}, 'Bad request: invalid_platform'],
      ['another device type', { deviceType: 'mobile' }, {}, 'Bad request: invalid_device_type_for_endpoint'],
      ['a blank name', { deviceName: '  ' }, {}, 'Bad request: invalid_device_name'],
      ['the name that clients hide', { deviceName: 'Unknown' }, {}, 'Bad request: invalid_device_name'],
      ['a name that is too long', { deviceName: 'x'.repeat(256) }, {}, 'Bad request: invalid_device_name'],
      ['a name with NUL', { deviceName: 'a\0b' }, {}, 'Bad request: invalid_device_name'],
      ['a blank version', { appVersion: '' }, {}, 'Bad request: invalid_app_version'],
      ['a version that is too long', { appVersion: '1'.repeat(51) }, {}, 'Bad request: invalid_app_version'],
      ['a binding that is no UUID', {}, { 'x-token-binding': 'x' }, 'Bad request: invalid_token_binding_header'],
      ['another binding', {}, { 'x-token-binding': randomUUID() }, 'Bad request: token_binding_mismatch'],
    ];
    for (const [what, change, headers, message] of refused) {
      it(`refuses ${what}`, async () => {
        const answer = await register(change, { headers });
        expect(answer.status).to.equal(400);
        // The token first, then what to do.
        expect(messageOf(answer)).to.match(new RegExp(`^${message}(: \\w.+)?$`));
        expect(events()).to.deep.equal([]);
      });
    }

    const invalid: readonly (readonly [string, object])[] = [
      ['an underscore in a key', { capabilities: { ok: { supports_terminal: true } } }],
      ['an underscore in a key inside a list', { capabilities: { list: [{ a_b: 1 }] } }],
      ['NUL in a value', { capabilities: { a: ['b\0'] } }],
      ['capabilities without end', { capabilities: { a: 'x'.repeat(20_000) } }],
      [
        'capabilities without ground',
        { capabilities: { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } } },
      ],
      ['a port beyond the last', { availablePorts: [65_536] }],
      ['a version of the platform that is too long', { platformVersion: 'x'.repeat(101) }],
      ['a body without a name', { deviceName: undefined }],
    ];
    for (const [what, change] of invalid) {
      it(`refuses ${what} as a validation error`, async () => {
        const answer = await register(change);
        expect(answer.status).to.equal(400);
        expect(answer.body).to.include({ error_type: 'validation_error', errorType: 'validation_error' });
      });
    }

    it('drops an address that is none, and keeps the device', async () => {
      for (const publicIp of ['not an address', 'x'.repeat(500), '', '203.0.113.7']) {
        expect((await register({ publicIp })).status, publicIp).to.equal(201);
      }
    });

    it('names the underscore first, as the clients know it', async () => {
      const answer = await register(
        { capabilities: { a_b: 1 }, platform: 'ios' },
        { headers: { 'x-client-type': 'mobile' } },
      );
      expect(answer.body).to.include({ error_type: 'validation_error' });
    });

    it('forbids what belongs to somebody else, and leaves it alone', async () => {
      await register();
      const before = events().length;
      const answer = await register({ deviceName: 'Stolen' }, { as: 'grace' });
      expect(answer.status).to.equal(403);
      expect(events()).to.have.length(before);
      expect((await mine())?.deviceName).to.equal('Mac');
    });
  });

  describe('registering at the same moment', () => {
    it('lets exactly one of two users have the device', async () => {
      const answers = await Promise.all([register(), register({}, { as: 'grace' })]);
      expect(answers.map(({ status }) => status).toSorted()).to.deep.equal([201, 403]);
      expect(events()).to.have.length(1);
    });
  });

  describe('registering a phone', () => {
    const registerPhone = (change: object = {}) =>
      call('POST', '/api/devices/mobile/register', {
        body: { deviceName: 'iPhone', platform: 'ios', appVersion: '1.2', ...change },
        headers: { 'x-device-id': deviceId },
      });

    it('answers with exactly six members, and is never listed', async () => {
      const { status, body } = await registerPhone({ capabilities: { supportsVoice: true }, pushToken: null });
      expect(status).to.equal(201);
      const phone = { deviceName: 'iPhone', deviceType: 'mobile', platform: 'ios', appVersion: '1.2' };
      expect(body).to.deep.equal({ deviceId, ...phone, isConnected: false });
      expect(await mine()).to.equal(undefined);
      expect(await mine('?deviceType=mobile')).to.equal(undefined);
    });

    it('refuses what it refuses a desktop', async () => {
      expect((await registerPhone({ capabilities: { a_b: 1 } })).body).to.include({ error_type: 'validation_error' });
      expect(messageOf(await registerPhone({ deviceName: '' }))).to.match(/^Bad request: invalid_device_name: send/);
      expect(messageOf(await registerPhone({ platform: 'x'.repeat(51) }))).to.match(
        /^Bad request: invalid_platform: send/,
      );
    });
  });

  describe('the list', () => {
    it('shows each user their own, the one seen last first', async () => {
      await register();
      const first = deviceId;
      now = new Date(now.getTime() + 1000);
      deviceId = randomUUID();
      await register({ deviceName: 'Second', platformVersion: '15.1' });
      const order = (await list()).map((entry) => entry.deviceId);
      expect(order.indexOf(deviceId)).to.be.lessThan(order.indexOf(first));
      expect((await list('', 'grace')).map((entry) => entry.deviceId)).not.to.include(deviceId);
    });

    it('says connected, and online, only while a socket of the same user is open', async () => {
      await register();
      expect(await mine()).to.include({ status: 'offline', isConnected: false });
      await connect(grace.userId);
      expect(await mine()).to.include({ status: 'offline', isConnected: false });
      await connect();
      expect(await mine()).to.include({ status: 'online', isConnected: true });
    });

    it('filters, in either spelling of the parameters', async () => {
      await register();
      const away = deviceId;
      deviceId = randomUUID();
      await register();
      await connect();
      for (const query of ['?connectedOnly=true', '?connected_only=true', '?connectedOnly=1&deviceType=desktop']) {
        const ids = (await list(query)).map((entry) => entry.deviceId);
        expect(ids, query).to.include(deviceId).and.not.to.include(away);
      }
      expect(await list('?device_type=tablet')).to.deep.equal([]);
      expect((await call('GET', '/api/devices?connectedOnly=perhaps')).status).to.equal(400);
    });
  });

  describe('a heartbeat', () => {
    const beat = (body?: unknown, request: Request = {}) =>
      call('POST', `/api/devices/${deviceId}/heartbeat`, { ...(body === undefined ? {} : { body }), ...request });

    it('shows the health of the device without filling the log', async () => {
      await register();
      const { length } = events();
      now = new Date(now.getTime() + 30_000);
      const answer = await beat({ cpuUsage: 12.5, memoryUsage: 40, diskSpaceGb: 250, activeJobs: 2, status: 'online' });
      expect(answer.status).to.equal(200);
      const shape = z.strictObject({ status: z.literal('heartbeat_updated'), timestamp: instant });
      const { timestamp } = shape.parse(answer.body);
      expect(events()).to.have.length(length);
      const health = { cpuUsage: 12.5, memoryUsage: 40, diskSpaceGb: 250, activeJobs: 2, lastHeartbeat: timestamp };
      expect(await mine()).to.include(health);
    });

    it('is away only while it is connected', async () => {
      await register();
      await beat({ status: 'away' });
      expect(events().at(-1)?.type).to.equal('DeviceSeen');
      expect((await mine())?.status).to.equal('offline');
      await connect();
      expect((await mine())?.status).to.equal('away');
    });

    it('takes a device that says something of its own for one that is there', async () => {
      await register();
      await connect();
      expect((await beat({ status: 'busy' })).status).to.equal(200);
      expect((await mine())?.status).to.equal('online');
    });

    it('needs no body, and can name the device in the header as the mobile app does', async () => {
      await register();
      expect((await beat()).status).to.equal(200);
      const headers = { 'x-device-id': deviceId };
      const body = { status: 'online', metadata: { battery: 0.5 } };
      expect((await call('POST', '/api/devices/heartbeat', { headers, body })).status).to.equal(200);
      expect((await call('POST', '/api/devices/heartbeat')).status).to.equal(400);
    });

    for (const body of [
      { cpuUsage: 1000 },
      { memoryUsage: -1 },
      { diskSpaceGb: 1.5 },
      { activeJobs: 2_147_483_648 },
      { status: 'x'.repeat(30) },
    ]) {
      it(`refuses ${JSON.stringify(body)}`, async () => {
        await register();
        expect((await beat(body)).status).to.equal(400);
      });
    }

    it('is not heard from strangers, nor of devices that nobody has', async () => {
      await register();
      expect((await beat({ cpuUsage: 99 }, { as: 'grace' })).status).to.equal(404);
      expect((await mine())?.cpuUsage).to.equal(null);
      deviceId = randomUUID();
      expect((await beat({})).status).to.equal(404);
      deviceId = 'no-uuid';
      expect((await beat({})).status).to.equal(404);
    });
  });

  describe('removing', () => {
    it('answers 204 once, and 404 afterwards and to others', async () => {
      await register();
      expect((await call('DELETE', `/api/devices/${deviceId}`, { as: 'grace' })).status).to.equal(404);
      const removed = await call('DELETE', `/api/devices/${deviceId.toUpperCase()}`);
      expect(removed).to.deep.equal({ status: 204, body: undefined });
      expect(await mine()).to.equal(undefined);
      expect((await call('DELETE', `/api/devices/${deviceId}`)).status).to.equal(404);
    });

    it('lets another user have the device, from then on', async () => {
      await register({ capabilities: { activeProjectDirectory: '/ada' } });
      await call('DELETE', `/api/devices/${deviceId}`);
      expect((await register({ deviceName: 'Now mine' }, { as: 'grace' })).status).to.equal(201);
      expect(await mine()).to.equal(undefined);
      const found = (await list('', 'grace')).find((entry) => entry.deviceId === deviceId);
      expect(found).to.include({ deviceName: 'Now mine' });
      expect(found?.capabilities).to.deep.equal({});
    });
  });

  it('has no connection descriptor to give', async () => {
    const answer = await call('GET', `/api/devices/${deviceId}/connection-descriptor`);
    expect(answer.status).to.equal(404);
    expect(answer.body).to.include({ error_type: 'not_found' });
    expect(messageOf(answer)).to.contain('/ws/device-link');
  });

  // Last: the user is gone for the tests after it.
  describe('when a user was erased', () => {
    it('shows none of their devices in a rebuilt list', async () => {
      await register({}, { as: 'grace' });
      await vault.destroy(grace.userId);
      const fresh = await startReadSide([devicesProjection], { store, vault });
      try {
        const http2 = await startHttp(
          deviceEndpoints({
            ...givenPushTokens(store, vault),
            queries: fresh.queries,
            links: deviceLinks({ relay, logger: silentLogger }),
            beats: heartbeats({ ephemeral, logger: silentLogger }),
          }),
        );
        try {
          const response = await fetch(`${http2.url}/api/devices`, { headers: { authorization: 'Bearer grace' } });
          expect(await response.json()).to.deep.equal([]);
        } finally {
          await http2.close();
        }
      } finally {
        await fresh.close();
      }
    });
  });
});
