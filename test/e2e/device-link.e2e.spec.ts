import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis-server.ts';
import { signIn, startServer, temporaryDataDir, type RunningServer } from '../support/running-server.ts';
import { simulatedDesktop, type SimulatedDesktop } from '../support/simulated-desktop.ts';
import type { SimulatedLink } from '../support/simulated-link.ts';
import { simulatedPhone, type SimulatedPhone } from '../support/simulated-phone.ts';

const EMAIL = 'linked@example.test';

const told = (link: SimulatedLink, type: string): readonly Readonly<Record<string, unknown>>[] =>
  link.events
    .filter(({ payload }) => payload?.['eventType'] === type)
    .map(({ payload }) => payload?.['payload'] as Readonly<Record<string, unknown>>);

const comes = (what: string, probe: () => boolean): Promise<true> =>
  eventually(what, () => (probe() ? true : undefined), 15_000);

describe('the device link of two whole servers', function () {
  this.timeout(180_000);
  const dataDirs = [temporaryDataDir(), temporaryDataDir()] as const;
  const [desktopId, phoneId] = [randomUUID(), randomUUID()];
  let redis: Awaited<ReturnType<typeof startRedis>> | undefined;
  let servers: readonly [RunningServer, RunningServer];
  let apis: Readonly<{ desktop: ApiClient; phone: ApiClient }>;
  let desktop: SimulatedDesktop;
  let phone: SimulatedPhone;
  let token: string;

  before(async function () {
    redis = await startRedis(this);
    const env = { REDIS_URL: redis.url };
    const first = await startServer(dataDirs[0].path, env);
    servers = [first, await startServer(dataDirs[1].path, { ...env, JOIN: dataDirs[0].path })];
    const tokens = {
      desktop: await signIn(first, EMAIL, '--device', desktopId),
      phone: await signIn(first, EMAIL, '--device', phoneId),
    };
    token = tokens.desktop;
    const headersOf = (id: string) => ({ 'x-device-id': id, 'x-token-binding': id });
    apis = {
      desktop: apiClient(first.url, tokens.desktop, { ...headersOf(desktopId), 'x-client-type': 'desktop' }),
      phone: apiClient(servers[1].url, tokens.phone, { ...headersOf(phoneId), 'x-client-type': 'mobile' }),
    };
    const linkOf = (server: RunningServer, deviceId: string, token: string) => ({
      ...{ server: () => server.url, deviceId, authorization: () => `Bearer ${token}`, pace: 0.1 },
    });
    desktop = simulatedDesktop(linkOf(servers[0], desktopId, tokens.desktop));
    phone = simulatedPhone(linkOf(servers[1], phoneId, tokens.phone));
  });

  after(async () => {
    await Promise.all([desktop.stop(), phone.stop()]);
    expect(await servers[1].stop()).to.equal(0);
    expect(await servers[0].stop()).to.equal(0);
    await redis?.remove();
    for (const { remove } of dataDirs) remove();
    expect([...desktop.violations, ...phone.violations]).to.deep.equal([]);
  });

  it('says to a plain GET that it takes WebSockets', async () => {
    const response = await fetch(`${servers[0].url}/ws/device-link`);
    expect(response.status).to.equal(426);
    expect(response.headers.get('upgrade')).to.equal('websocket');
    expect(await response.json()).to.include({ code: 426, error_type: 'websocket_required' });
  });

  it('pairs a desktop and a phone that have registered, and carries a call', async () => {
    const about = { deviceName: 'mine', appVersion: '1.0.0' };
    const asDesktop = { ...about, platform: 'macos' };
    const asPhone = { ...about, platform: 'ios' };
    expect((await apis.desktop.call('POST', '/api/devices/register', asDesktop)).status).to.be.within(200, 201);
    expect((await apis.phone.call('POST', '/api/devices/mobile/register', asPhone)).status).to.equal(201);
    desktop.on('session.get', ({ id }) => ({ id }));
    desktop.start();
    await desktop.linked();
    phone.start();
    await phone.connected();
    expect((await phone.call('session.get', { id: 's1' })).result).to.deep.equal({ id: 's1' });
    await eventually('the desktop is listed as connected, also where it is not', async () => {
      const devices = await apis.phone.get<readonly Readonly<{ isConnected: boolean }>[]>('/api/devices');
      return devices.some(({ isConnected }) => isConnected) ? true : undefined;
    });
  });

  it('tells a phone on another server that it was removed, and ends its link', async () => {
    expect((await apis.desktop.call('DELETE', `/api/devices/${phoneId}`)).status).to.equal(204);
    await comes('the socket is closed', () => phone.closes.includes(4003));
    expect(told(phone, 'device-unlinked')).to.deep.equal([{ deviceId: phoneId }]);
    await comes('the desktop is told', () => told(desktop, 'device-unlinked').length === 1);
    await comes('it may not come back', () => phone.fatal.includes('deviceOwnershipFailed'));
  });

  it('ends the link of a desktop that signs out on another server, after saying why', async () => {
    const elsewhere = await fetch(`${servers[1].url}/api/auth/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'x-device-id': desktopId, 'x-token-binding': desktopId },
    });
    expect(elsewhere.status).to.equal(200);
    await comes('it is told', () => desktop.errors.includes('authRequired'));
    await comes('it is closed', () => desktop.closes.includes(4003));
  });
});
