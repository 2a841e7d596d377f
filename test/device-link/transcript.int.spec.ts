import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { givenLinks, type GivenLinks } from './given-links.ts';
import { rawClient, type RawClient } from './raw-client.ts';

const BOUND = { sessionId: 't1', includeSnapshot: true, forceSnapshot: false };

describe('what goes over the device link, word by word', () => {
  let given: GivenLinks;
  let desktop: RawClient;
  let phone: RawClient;
  beforeEach(async () => {
    given = await givenLinks();
    desktop = await rawClient(given, { clientType: 'desktop' });
    phone = await rawClient(given);
  });
  afterEach(async () => {
    desktop.socket.terminate();
    phone.socket.terminate();
    await given.close();
  });

  it('is what both apps wait for, from the first word of a phone to its first event', async () => {
    await desktop.register();
    phone.send({ type: 'register', payload: { deviceId: phone.deviceId, deviceName: 'iPhone' } });
    const registered = await phone.next();
    expect(Object.keys(registered)).to.have.members(['type', 'sessionId', 'resumeToken', 'expiresAt']);
    const { eventId, timestamp, ...came } = await desktop.next();
    expect(came).to.deep.equal({
      type: 'event',
      payload: { eventType: 'device-status', payload: { deviceId: phone.deviceId, status: 'online' } },
      sourceDeviceId: phone.deviceId,
      targetDeviceId: null,
    });
    expect(eventId).to.be.a('number');
    expect(timestamp).to.match(/Z$/);

    phone.send({ type: 'rpc.request', payload: { id: '1', method: 'system.ping', params: {} } });
    const { deviceId: clientId } = phone;
    expect(await desktop.next()).to.deep.equal({
      type: 'rpc.request',
      payload: { id: '1', method: 'system.ping', params: {}, clientId, userId: given.userId },
    });
    const answer = { id: '1', result: { pong: true }, error: null, isFinal: true };
    desktop.send({ type: 'rpc.response', payload: { clientId, ...answer } });
    expect(await phone.next()).to.deep.equal({ type: 'rpc.response', payload: answer });

    phone.send({ type: 'terminal.binary.bind', payload: BOUND });
    expect(await desktop.next()).to.deep.equal({ type: 'terminal.binary.bind', payload: BOUND });
    expect(await phone.next()).to.deep.equal({ type: 'terminal.binary.bound', payload: { sessionId: 't1' } });
    const bytes: Buffer[] = [];
    phone.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) bytes.push(data);
    });
    const frame = Buffer.from('PTC1\u0000\u0002t1\u001b[0m…');
    desktop.send(frame);
    await eventually('the bytes', () => (bytes.length === 1 ? true : undefined));
    expect(bytes[0]?.equals(frame)).to.equal(true);

    phone.send({ type: 'heartbeat', payload: {} });
    expect(await phone.next()).to.deep.equal({ type: 'pong' });
    phone.send({ type: 'event-ack', payload: { lastEventId: 9 } });
    phone.send({ type: 'ping' });
    expect(await phone.next()).to.deep.equal({ type: 'pong' });
  });
});
