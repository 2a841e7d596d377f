import { expect } from 'chai';
import { jwtVerify } from 'jose';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { apnsGateway } from '../../infra/apns/apns-gateway.ts';
import type { PushGateway } from '../../src/kernel/push.ts';
import { startApnsDouble, type ApnsDouble } from '../support/apns-double.ts';
import { apnsOptions, apnsPublicKey, pushTo } from './given-apns.ts';

const TOKEN = 'ab'.repeat(32);
const never = new AbortController().signal;

describe('apns gateway', () => {
  let apns: ApnsDouble;
  let gateway: PushGateway;
  let options: ReturnType<typeof apnsOptions>;

  const start = (change: Parameters<typeof apnsOptions>[1] = {}): PushGateway => {
    options = apnsOptions(apns.url, change);
    gateway = apnsGateway(options);
    return gateway;
  };

  beforeEach(async () => {
    apns = await startApnsDouble();
  });

  afterEach(async () => {
    await gateway.close();
    await apns.close();
  });

  it('sends an alert with everything that Apple wants to know', async () => {
    const outcome = await start().send(pushTo(TOKEN), never);
    expect(outcome).to.deep.equal({ kind: 'delivered', environment: 'sandbox', attempts: 1 });
    const [push] = apns.received;
    expect(push?.token).to.equal(TOKEN);
    expect(push?.headers).to.include({
      ':method': 'POST',
      'apns-id': '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
      'apns-topic': 'com.example.app',
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-expiration': '1893456000',
      'apns-collapse-id': 'job-1',
    });
    expect(push?.payload).to.deep.equal(pushTo(TOKEN).payload);
  });

  it('sends what shows nothing as a background push, to the app that the token names', async () => {
    await start().send(pushTo(TOKEN, { type: 'background', bundleId: 'com.example.beta' }), never);
    expect(apns.received[0]?.headers).to.include({
      'apns-push-type': 'background',
      'apns-priority': '5',
      'apns-topic': 'com.example.beta',
    });
  });

  it('proves itself by one token for many sends over one connection', async () => {
    start();
    await Promise.all(Array.from({ length: 50 }, (_, index) => gateway.send(pushTo(`t${index}`), never)));
    const proofs = new Set(apns.received.map(({ headers }) => headers['authorization']));
    expect(proofs.size).to.equal(1);
    expect(apns.connections()).to.equal(1);
    const proof = [...proofs][0]?.replace('bearer ', '') ?? '';
    const { payload, protectedHeader } = await jwtVerify(proof, apnsPublicKey, { issuer: 'TEAM123456' });
    expect(protectedHeader).to.deep.equal({ alg: 'ES256', kid: 'KEY1234567' });
    expect(payload.iat).to.be.a('number');
  });

  it('has a new proof after 40 minutes, and none sooner than Apple allows', async () => {
    let now = new Date('2026-01-01T00:00:00.000Z');
    start({ clock: () => now });
    const at = async (minutes: number): Promise<string | undefined> => {
      now = new Date(Date.parse('2026-01-01T00:00:00.000Z') + minutes * 60_000);
      await gateway.send(pushTo(TOKEN), never);
      return apns.received.at(-1)?.headers['authorization'];
    };
    const first = await at(0);
    expect(await at(39)).to.equal(first);
    const second = await at(40);
    expect(second).not.to.equal(first);
    apns.answerWith((_, nth) => (nth === 4 ? { status: 403, reason: 'ExpiredProviderToken' } : { status: 200 }));
    // Ten minutes old: asking for another one now would be one too many.
    expect(await at(50)).to.equal(second);
    apns.answerWith((_, nth) => (nth === 6 ? { status: 403, reason: 'ExpiredProviderToken' } : { status: 200 }));
    expect(await at(65)).not.to.equal(second);
  });

  for (const [status, reason] of [
    [410, 'Unregistered'],
    [410, 'ExpiredToken'],
    [400, 'BadDeviceToken'],
  ] as const) {
    it(`knows a token that reaches nothing by ${status} ${reason}`, async () => {
      const timestamp = Date.parse('2026-01-02T03:04:05.678Z');
      apns.answerWith(() => ({ status, reason, ...(status === 410 ? { timestamp } : {}) }));
      const since = status === 410 ? '2026-01-02T03:04:05.678Z' : null;
      expect(await start().send(pushTo(TOKEN), never)).to.deep.equal({ kind: 'gone', reason, since, attempts: 1 });
    });
  }

  for (const [status, reason] of [
    [400, 'PayloadEmpty'],
    [400, 'DeviceTokenNotForTopic'],
    [403, 'InvalidProviderToken'],
    [413, 'PayloadTooLarge'],
  ] as const) {
    it(`does not ask again after ${status} ${reason}, and blames no token`, async () => {
      apns.answerWith(() => ({ status, reason }));
      expect(await start().send(pushTo(TOKEN), never)).to.deep.equal({ kind: 'refused', reason, attempts: 1 });
      expect(apns.received).to.have.length(1);
    });
  }

  for (const status of [429, 500, 503]) {
    it(`asks again after ${status}, later each time`, async () => {
      apns.answerWith((_, nth) => (nth < 3 ? { status, reason: 'Later' } : { status: 200 }));
      const outcome = await start().send(pushTo(TOKEN), never);
      expect(outcome).to.include({ kind: 'delivered', attempts: 3 });
      expect(options.pauses).to.deep.equal([500, 2000]);
      expect(new Set(apns.received.map(({ headers }) => headers['apns-id'])).size).to.equal(1);
    });
  }

  it('waits as long as it is told to, and no longer than a minute', async () => {
    apns.answerWith((_, nth) => ({ status: nth < 3 ? 429 : 200, retryAfter: nth === 1 ? '7' : '7200' }));
    await start().send(pushTo(TOKEN), never);
    expect(options.pauses).to.deep.equal([7000, 60_000]);
  });

  it('gives up after five attempts', async () => {
    apns.answerWith(() => ({ status: 500, reason: 'InternalServerError' }));
    const outcome = await start().send(pushTo(TOKEN), never);
    expect(outcome).to.deep.equal({ kind: 'unavailable', reason: 'InternalServerError', attempts: 5 });
    expect(options.pauses).to.deep.equal([500, 2000, 8000, 30_000]);
  });

  it('finds out where a token belongs of which nobody has said it', async () => {
    const production = await startApnsDouble();
    try {
      apns.answerWith(() => ({ status: 400, reason: 'BadDeviceToken' }));
      start({ hosts: { sandbox: apns.url, production: production.url } });
      const outcome = await gateway.send(pushTo(TOKEN, { environment: null }), never);
      expect(outcome).to.deep.equal({ kind: 'delivered', environment: 'production', attempts: 2 });
      // Of one that has, it is believed.
      expect(await gateway.send(pushTo(TOKEN), never)).to.include({ kind: 'gone' });
      production.answerWith(() => ({ status: 403, reason: 'BadEnvironmentKeyInToken' }));
      expect(await gateway.send(pushTo(TOKEN, { environment: null }), never)).to.include({
        kind: 'gone',
        reason: 'BadDeviceToken',
      });
    } finally {
      await production.close();
    }
  });

  it('connects again when the server leaves, and loses nothing of what was under way', async () => {
    start();
    apns.answerWith((_, nth) => ({ status: 200, goaway: nth === 1 }));
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => gateway.send(pushTo(TOKEN), never)));
    expect(new Set(outcomes.map(({ kind }) => kind))).to.deep.equal(new Set(['delivered']));
    await gateway.send(pushTo(TOKEN), never);
    expect(apns.connections()).to.be.greaterThan(1);
    expect(apns.received.at(-1)?.connection).to.be.greaterThan(1);
  });

  it('connects again when the connection breaks, and asks again', async () => {
    apns.answerWith((_, nth) => (nth === 1 ? 'drop' : { status: 200 }));
    expect(await start().send(pushTo(TOKEN), never)).to.include({ kind: 'delivered', attempts: 2 });
    expect(apns.connections()).to.equal(2);
  });

  it('asks again when there is no answer in time', async () => {
    apns.answerWith((_, nth) => (nth === 1 ? 'hang' : { status: 200 }));
    expect(await start({ answerMs: 100 }).send(pushTo(TOKEN), never)).to.include({ kind: 'delivered', attempts: 2 });
  });

  it('drops a connection that has gone silent', async () => {
    apns.answerWith((_, nth) => (nth === 1 ? 'hang' : { status: 200 }));
    // Nobody answers at the other end, not even to say so.
    const mute = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    try {
      const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
      start({ hosts: { sandbox: url, production: url }, pingMs: 20 });
      const outcome = await gateway.send(pushTo(TOKEN), never);
      expect(outcome).to.include({ kind: 'unavailable', attempts: 5 });
    } finally {
      mute.close();
    }
  });

  it('stops when it is told to, in the middle of an answer', async () => {
    apns.answerWith(() => 'hang');
    const stop = new AbortController();
    const sending = start().send(pushTo(TOKEN), stop.signal);
    await apns.got(1);
    stop.abort();
    let failure: unknown;
    await sending.catch((error: unknown) => (failure = error));
    expect(failure).to.be.instanceOf(Error);
  });

  it('sends at most a hundred at once', async () => {
    start();
    const gate = Promise.withResolvers<undefined>();
    apns.answerWith(async () => {
      await gate.promise;
      return { status: 200 };
    });
    const sending = Array.from({ length: 250 }, (_, index) => gateway.send(pushTo(`t${index}`), never));
    await apns.got(100);
    gate.resolve(undefined);
    await Promise.all(sending);
    expect(apns.received).to.have.length(250);
    expect(apns.mostAtOnce()).to.be.at.most(100);
  });

  it('writes no token into a path as it is', async () => {
    await start().send(pushTo('a/../b?c'), never);
    expect(apns.received[0]?.headers[':path']).to.equal('/3/device/a%2F..%2Fb%3Fc');
  });
});
