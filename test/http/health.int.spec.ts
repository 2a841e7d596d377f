import { expect } from 'chai';
import { activityMeter } from '../../src/http/activity.ts';
import { deployment } from '../../src/http/routes/health/deployment.ts';
import { health } from '../../src/http/routes/health/health.ts';
import { live } from '../../src/http/routes/health/live.ts';
import { ready } from '../../src/http/routes/health/ready.ts';
import type { PartReadiness } from '../../src/http/routes/health/ready.ts';
import { startHttp } from '../support/given-http.ts';
import type { HttpUnderTest } from '../support/given-http.ts';

describe('health', () => {
  const activity = activityMeter();
  let started = true;
  let readiness: () => Promise<readonly PartReadiness[]>;
  let under: HttpUnderTest;
  before(async () => {
    const deployed = {
      version: '1.2.3',
      color: 'blue',
      port: () => 8080,
      uptimeSeconds: () => 12.7,
      activity: activity.now,
    };
    under = await startHttp(
      [
        health('1.2.3'),
        live(),
        ready({ started: () => started, readiness: () => readiness(), limitMs: 50 }),
        deployment({ ...deployed, token: 'sesame' }),
      ],
      { activity },
    );
  });
  after(() => under.close());

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(under.url + path, { headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('says that it answers, and as which version', async () => {
    expect(await get('/health')).to.deep.equal({ status: 200, body: { status: 'ok', version: '1.2.3' } });
    expect(await get('/health/live')).to.deep.equal({ status: 200, body: { status: 'ok' } });
  });

  it('is ready when every part is', async () => {
    readiness = () => Promise.resolve([{ name: 'events', ok: true }]);
    const answer = await get('/health/ready');
    expect(answer).to.deep.equal({
      status: 200,
      body: { status: 'ok', ready: true, parts: [{ name: 'events', ok: true }] },
    });
  });

  it('is not ready when one part is not, and names it inside the envelope', async () => {
    const parts = [
      { name: 'events', ok: true },
      { name: 'read models', ok: false, detail: 'does not answer' },
    ];
    readiness = () => Promise.resolve(parts);
    const { status, body } = await get('/health/ready');
    expect(status).to.equal(503);
    expect(body).to.deep.include({
      code: 503,
      error_type: 'service_unavailable',
      ready: false,
      status: 'unavailable',
      parts,
    });
  });

  it('is ready without a part that is not essential, and names it', async () => {
    const parts = [
      { name: 'events', ok: true },
      { name: 'shared state', ok: false, detail: 'does not answer', essential: false as const },
    ];
    readiness = () => Promise.resolve(parts);
    const answer = await get('/health/ready');
    expect(answer).to.deep.equal({ status: 200, body: { status: 'degraded', ready: true, parts } });
    readiness = () => Promise.resolve([...parts, { name: 'database', ok: false }]);
    expect((await get('/health/ready')).status).to.equal(503);
  });

  it('is not ready when the parts do not answer in time or the check fails', async () => {
    readiness = () => new Promise(() => undefined);
    expect((await get('/health/ready')).status).to.equal(503);
    readiness = () => Promise.reject(new Error('secret detail'));
    const { status, body } = await get('/health/ready');
    expect(status).to.equal(503);
    expect(JSON.stringify(body)).not.to.match(/secret detail/);
  });

  it('is not ready while it starts', async () => {
    started = false;
    readiness = () => Promise.resolve([]);
    const { status, body } = await get('/health/ready');
    started = true;
    expect(status).to.equal(503);
    expect(body).to.include({ status: 'starting', ready: false });
  });

  it('tells a deployment script with the token what still runs, itself not counted', async () => {
    for (const authorization of ['Bearer sesame', 'sesame']) {
      const { status, body } = await get('/health/deployment', { authorization });
      expect(status).to.equal(200);
      expect(body).to.deep.equal({
        status: 'ok',
        version: '1.2.3',
        activeStreams: 0,
        activeRequests: 0,
        activeSockets: 0,
        deploymentColor: 'blue',
        port: 8080,
        uptimeSeconds: 12,
        readyForShutdown: true,
      });
    }
    const ended = [activity.requestStarted(), activity.streamStarted()];
    const busy = await get('/health/deployment', { authorization: 'sesame' });
    expect(busy.body).to.include({ activeRequests: 1, activeStreams: 1, readyForShutdown: false });
    ended.forEach((end) => end());
    const closed = activity.socketOpened();
    const linked = await get('/health/deployment', { authorization: 'sesame' });
    expect(linked.body).to.include({ activeRequests: 0, activeSockets: 1, readyForShutdown: false });
    closed();
    const quiet = await get('/health/deployment', { authorization: 'sesame' });
    expect(quiet.body).to.include({ readyForShutdown: true });
  });

  it('refuses a wrong deployment token, and any when none is set', async () => {
    for (const headers of [{}, { authorization: 'Bearer simsim' }]) {
      expect((await get('/health/deployment', headers)).status).to.equal(401);
    }
    const deps = { version: '1', color: 'blue', port: () => 1, uptimeSeconds: () => 1, activity: activity.now };
    const unset = await startHttp([deployment({ ...deps, token: undefined })]);
    const answer = await fetch(`${unset.url}/health/deployment`, { headers: { authorization: 'Bearer ' } });
    await unset.close();
    expect(answer.status).to.equal(503);
    expect(await answer.json()).to.include({ error_type: 'configuration_error' });
  });
});
