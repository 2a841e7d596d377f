import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { apnsKey } from '../apns/given-apns.ts';
import { apiClient, type Frame } from '../support/api-client.ts';
import { startApnsDouble, type ApnsDouble } from '../support/apns-double.ts';
import { signIn, startServer, temporaryDataDir, type RunningServer } from '../support/running-server.ts';

type Sent = Readonly<{ success: boolean; sentCount: number; failedCount: number }>;

describe('notifications of the whole server', function () {
  this.timeout(120_000);
  const dataDir = temporaryDataDir();
  const phoneId = randomUUID();
  const token = 'c0ffee'.repeat(10);
  let apns: ApnsDouble;
  let server: RunningServer;
  let desktop: ReturnType<typeof apiClient>;
  let phone: ReturnType<typeof apiClient>;

  before(async () => {
    apns = await startApnsDouble();
    server = await startServer(dataDir.path, {
      APNS_TEAM_ID: apnsKey.teamId,
      APNS_KEY_ID: apnsKey.keyId,
      // As it stands in a file of variables: on one line.
      APNS_PRIVATE_KEY: apnsKey.privateKey.replaceAll('\n', '\\n'),
      APNS_BUNDLE_ID: 'com.example.app',
      APNS_BASE_URL: apns.url,
    });
    desktop = apiClient(server.url, await signIn(server, 'push@example.test'));
    const headers = { 'x-device-id': phoneId, 'x-token-binding': phoneId };
    phone = apiClient(server.url, await signIn(server, 'push@example.test', '--device', phoneId), headers);
  });

  after(async () => {
    expect(await server.stop()).to.equal(0);
    await apns.close();
    dataDir.remove();
  });

  const jobDone = async (jobId: string): Promise<Sent> => {
    const body = { jobId, title: 'Plan ready', body: 'A private matter', customData: { sessionId: 's1' } };
    const response = await desktop.call('POST', '/api/notifications/job-completed', body);
    expect(response.status).to.equal(200);
    return (await response.json()) as Sent;
  };

  it('reach a phone as soon as it has handed in its token', async () => {
    expect(await jobDone('before')).to.include({ sentCount: 0, failedCount: 0 });
    const stored = await phone.call('PUT', '/api/devices/push-token', { platform: 'ios', token });
    expect(stored.status).to.equal(200);
    expect(await jobDone('job-1')).to.include({ success: true, sentCount: 1, failedCount: 0 });
    expect(apns.received).to.have.length(1);
    expect(apns.received[0]?.token).to.equal(token);
    expect(apns.received[0]?.payload).to.include({ type: 'job_completed', jobId: 'job-1', sessionId: 's1' });
    expect(server.log()).not.to.contain(token).and.not.to.contain('A private matter');
  });

  it('are told on the stream of the user’s own events, without what is in them', async () => {
    const typesOf = (frames: readonly Frame[]) => frames.map(({ data }) => (data as { type?: string }).type);
    const frames = await desktop.events((seen) => typesOf(seen).includes('NotificationDelivered'));
    expect(typesOf(frames)).to.include.members(['DevicePushTokenChanged', 'NotificationRequested']);
    const said = JSON.stringify(frames);
    expect(said).not.to.contain('"content"').and.not.to.contain('Hash"');
  });

  it('go no more to a phone whose user has signed out', async () => {
    expect((await phone.call('POST', '/api/auth/logout')).status).to.equal(200);
    expect(await jobDone('job-2')).to.include({ sentCount: 0, failedCount: 0 });
    expect(apns.received).to.have.length(1);
  });
});
