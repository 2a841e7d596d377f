import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { chance } from '../support/chance.ts';
import { eventually } from '../support/eventually.ts';
import { givenLinks, type GivenLinks } from './given-links.ts';
import { rawClient, type RawClient } from './raw-client.ts';

/** Codes with which the iOS app gives a connection up. */
const FATAL_ON_PHONES = [
  'invalidPayload',
  'invalidDeviceId',
  'authRequired',
  'deviceOwnershipFailed',
  'missingMethod',
  'invalidRpcPayload',
];

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const other = randomUUID();

describe('bad input on the device link', () => {
  let given: GivenLinks;
  const clients: RawClient[] = [];
  const open = async (options: Parameters<typeof rawClient>[1] = {}): Promise<RawClient> => {
    const client = await rawClient(given, options);
    clients.push(client);
    return client;
  };
  beforeEach(async () => {
    given = await givenLinks({ timing: { registerWithinMs: 400, pingEveryMs: 50, silenceMs: 400 } });
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.terminate();
    expect(given.faults()).to.deep.equal([]);
    await given.close();
    expect(given.instances.map(({ link }) => link.inUse().devices)).to.deep.equal([0]);
  });

  const isAlive = async (client: RawClient): Promise<void> => {
    const before = client.said.length;
    client.send({ type: 'ping' });
    await eventually('a pong', () =>
      client.said.slice(before).some(({ type }) => type === 'pong') ? true : undefined,
    );
  };

  describe('before a device has registered', () => {
    const cases: readonly (readonly [string, unknown, string])[] = [
      ['nothing', '', 'invalidJson'],
      ['no JSON', 'nonsense', 'invalidJson'],
      ['half an object', '{"type":', 'invalidJson'],
      ['a number', '1', 'unknownMessageType'],
      ['null', 'null', 'unknownMessageType'],
      ['a list', '[]', 'unknownMessageType'],
      ['no type', '{}', 'unknownMessageType'],
      ['a type that is no text', { type: 1 }, 'unknownMessageType'],
      ['an unknown type', { type: 'nope' }, 'unknownMessageType'],
      ['the name of a member of every object', { type: 'constructor' }, 'unknownMessageType'],
      ['its prototype', { type: '__proto__' }, 'unknownMessageType'],
      ['100,000 levels', nested(100_000), 'unknownMessageType'],
      ['register without a payload', { type: 'register' }, 'invalidPayload'],
      ['register with a list', { type: 'register', payload: [] }, 'invalidPayload'],
      ['register without a device', { type: 'register', payload: {} }, 'missingDeviceId'],
      ['register with a number', { type: 'register', payload: { deviceId: 1 } }, 'missingDeviceId'],
      ['register with no UUID', { type: 'register', payload: { deviceId: 'x' } }, 'invalidDeviceId'],
      [
        'resuming what is not there',
        { type: 'register', payload: { deviceId: other, sessionId: 'a', resumeToken: 'b' } },
        'invalidResume',
      ],
      ['an event', { type: 'event', payload: { eventType: 'x' } }, 'notRegistered'],
      ['a terminal', { type: 'terminal.binary.bind', payload: { sessionId: 'x' } }, 'notRegistered'],
      ['an answer', { type: 'rpc.response', payload: { clientId: other, id: '1' } }, 'authRequired'],
    ];
    for (const [what, frame, code] of cases) {
      it(`answers ${what} with ${code}`, async () => {
        const client = await open({ anonymous: true });
        client.send(frame);
        expect(await client.next()).to.include({ type: 'error', code });
        await isAlive(client);
      });
    }

    it('answers a heartbeat, and a call with its id', async () => {
      const client = await open();
      client.send({ type: 'heartbeat', payload: {} });
      expect(await client.next()).to.deep.equal({ type: 'pong' });
      client.send({ type: 'rpc.request', payload: { id: 'r1', method: 'system.ping' } });
      expect(await client.next()).to.deep.include({ type: 'rpc.response' });
      expect(client.said.at(-1)).to.have.nested.property('payload.id', 'r1');
      expect(client.said.at(-1)).to.have.nested.property('payload.error.code', -32600);
    });

    it('does not let one device register as another', async () => {
      const client = await open();
      client.send({ type: 'register', payload: { deviceId: other } });
      expect(await client.next()).to.include({ type: 'error', code: 'deviceOwnershipFailed' });
      await isAlive(client);
    });

    it('registers after an invalid resume on the same socket', async () => {
      const client = await open();
      client.send({ type: 'register', payload: { deviceId: client.deviceId, sessionId: 'a', resumeToken: 'b' } });
      expect(await client.next()).to.include({ code: 'invalidResume' });
      await client.register();
    });

    it('does not let one device resume another’s session, nor another user', async () => {
      const owner = await open();
      await owner.register();
      const { sessionId, resumeToken } = owner.said[0]!;
      const thief = await open();
      thief.send({ type: 'register', payload: { deviceId: thief.deviceId, sessionId, resumeToken } });
      expect(await thief.next()).to.include({ code: 'invalidResume' });
      const stranger = await open({ userId: randomUUID(), anonymous: true });
      stranger.send({ type: 'register', payload: { deviceId: owner.deviceId, sessionId, resumeToken } });
      expect(await stranger.next()).to.include({ code: 'invalidResume' });
    });
  });

  describe('from a device that has registered', () => {
    const call = (payload: object): object => ({ type: 'rpc.request', payload: { id: 'r1', ...payload } });
    const event = (eventType: unknown, payload?: unknown): object => ({
      type: 'event',
      payload: { eventType, payload },
    });

    const errors: readonly (readonly [string, unknown, string])[] = [
      ['a heartbeat without a payload', { type: 'heartbeat' }, 'missingPayload'],
      ['an underscore in a heartbeat', { type: 'heartbeat', payload: { a_b: 1 } }, 'invalidMessage'],
      ['an event without a payload', { type: 'event' }, 'invalidEvent'],
      ['an event without a type', event(undefined), 'invalidEvent'],
      ['an event of a blank type', event('  '), 'invalidEvent'],
      ['an event of a type that is no text', event({}), 'invalidEvent'],
      ['an underscore deep inside', event('x', [{ a: [{ b_c: 1 }] }]), 'invalidEvent'],
      ['an event of more than a desktop can read', event('x', 'x'.repeat(17 * 1024 * 1024)), 'invalidEvent'],
      ['the status of a device', event('device-status', null), 'invalidEvent'],
      ['word of a device that was removed', event('device-unlinked', { deviceId: other }), 'invalidEvent'],
      ['a job event without an object', event('job:created', 'x'), 'invalidEvent'],
      ['a job event without a session', event('job:created', { jobId: 'j' }), 'invalidEvent'],
      [
        'an event of 100,000 levels',
        `{"type":"event","payload":{"eventType":"x","payload":${nested(100_000)}}}`,
        'invalidEvent',
      ],
      [
        'an event of 101 levels',
        `{"type":"event","payload":{"eventType":"x","payload":${nested(101)}}}`,
        'invalidEvent',
      ],
      ['bind without a payload', { type: 'terminal.binary.bind' }, 'missingPayload'],
      ['bind without a session', { type: 'terminal.binary.bind', payload: {} }, 'missingSessionId'],
      [
        'bind with an endless session',
        { type: 'terminal.binary.bind', payload: { sessionId: 'x'.repeat(70_000) } },
        'missingSessionId',
      ],
      ['bind without a desktop', { type: 'terminal.binary.bind', payload: { sessionId: 't' } }, 'producerNotConnected'],
      [
        'unbind without a desktop',
        { type: 'terminal.binary.unbind', payload: { sessionId: 't' } },
        'producerNotConnected',
      ],
      ['an answer to nobody', { type: 'rpc.response', payload: { id: '1', result: 1 } }, 'missingClientId'],
      ['an answer to no device', { type: 'rpc.response', payload: { id: '1', clientId: 'x' } }, 'missingClientId'],
    ];
    for (const [what, frame, code] of errors) {
      it(`answers ${what} with ${code}, and goes on`, async () => {
        const client = await open();
        await client.register();
        client.send(frame);
        const error = await eventually('an error', () => client.said.find(({ type }) => type === 'error'));
        expect(error.code).to.equal(code);
        expect(FATAL_ON_PHONES).not.to.include(code);
        await isAlive(client);
      });
    }

    const refusals: readonly (readonly [string, unknown, number])[] = [
      ['without a method', call({}), -32600],
      ['with a blank method', call({ method: ' ' }), -32600],
      ['with an underscore', call({ method: 'x', params: { a_b: 1 } }), -32600],
      [
        'that is too deep',
        `{"type":"rpc.request","payload":{"id":"r1","method":"x","params":${nested(50_000)}}}`,
        -32600,
      ],
      ['of more than a desktop can read', call({ method: 'x', params: { text: 'ü'.repeat(9 * 1024 * 1024) } }), -32600],
      ['for a history without a state', call({ method: 'session.syncHistoryState', params: {} }), -32602],
      ['for a history with a list', call({ method: 'session.syncHistoryState', params: { state: [] } }), -32602],
      ['without a desktop', call({ method: 'x' }), -32010],
    ];
    for (const [what, frame, code] of refusals) {
      it(`answers a call ${what} with ${code} and its id`, async () => {
        const client = await open();
        await client.register();
        client.send(frame);
        const answer = await eventually('an answer', () => client.said.find(({ type }) => type === 'rpc.response'));
        expect(answer).to.have.nested.property('payload.id', 'r1');
        expect(answer).to.have.nested.property('payload.error.code', code);
        expect(answer).to.have.nested.property('payload.isFinal', true);
      });
    }

    it('coerces the version of a history, and sets what the sender may not choose', async () => {
      const desktop = await open({ clientType: 'desktop' });
      await desktop.register();
      const phone = await open();
      await phone.register();
      const versions = [true, '7', 'x', undefined, 3.9, null];
      for (const [n, expectedVersion] of versions.entries()) {
        phone.send({
          type: 'rpc.request',
          payload: {
            ...{ id: `v${n}`, method: 'session.syncHistoryState', params: { state: {}, expectedVersion } },
            ...{ clientId: 'me', userId: 'me', targetDeviceId: 'that', surprise: 1 },
          },
        });
      }
      const asked = await eventually('all calls', () => {
        const calls = desktop.said.filter(({ type }) => type === 'rpc.request').map(({ payload }) => payload as object);
        return calls.length === versions.length ? calls : undefined;
      });
      expect(
        asked.map((payload) => (payload as { params: { expectedVersion: number } }).params.expectedVersion),
      ).to.deep.equal([1, 7, 0, 0, 3, 0]);
      expect(Object.keys(asked[0]!).sort()).to.deep.equal(['clientId', 'id', 'method', 'params', 'userId']);
      expect(asked[0]).to.include({ clientId: phone.deviceId, userId: given.userId });
    });

    it('turns an answer that a phone cannot read into an error with its id', async () => {
      const desktop = await open({ clientType: 'desktop' });
      await desktop.register();
      const phone = await open();
      await phone.register();
      desktop.send({
        type: 'rpc.response',
        payload: { clientId: phone.deviceId.toUpperCase(), id: 'r9', result: { bad_key: 1 } },
      });
      const answer = await eventually('an answer', () => phone.said.find(({ type }) => type === 'rpc.response'));
      expect(answer).to.have.nested.property('payload.id', 'r9');
      expect(answer).to.have.nested.property('payload.error.code', -32603);
    });

    it('takes a second register of the same device, and of another one, for what it is', async () => {
      const client = await open({ anonymous: true });
      await client.register();
      client.send({ type: 'register', payload: { deviceId: client.deviceId } });
      await eventually('it is in again', () =>
        client.said.filter(({ type }) => type === 'registered').length === 2 ? true : undefined,
      );
      expect(given.instances[0]!.link.inUse().devices).to.equal(1);
      client.send({ type: 'register', payload: { deviceId: other } });
      await eventually('it is in as another', () =>
        client.said.filter(({ type }) => type === 'registered').length === 3 ? true : undefined,
      );
      const present = await given.instances[0]!.relay.present(given.userId);
      expect(present.map(({ deviceId }) => deviceId)).to.deep.equal([other]);
    });

    it('lets in no more devices of one user than it can bear', async () => {
      const client = await open();
      await client.register();
      for (let n = 0; n < 70; n += 1) {
        const one = await open();
        one.send({ type: 'register', payload: { deviceId: one.deviceId } });
        if (n > 65) expect(await one.next()).to.include({ code: 'temporarilyUnavailable' });
        else await one.next();
      }
      await isAlive(client);
    });
  });

  describe('on the wire', () => {
    it('closes with 1009 for a frame that is too large', async () => {
      const client = await open();
      await client.register();
      client.send(Buffer.alloc(32 * 1024 * 1024 + 1));
      expect(await client.closed).to.equal(1009);
    });

    it('closes with 1007 for a text that is none', async () => {
      const client = await open();
      client.socket.send(Buffer.from([0xff, 0xfe, 0xfd]), { binary: false });
      expect(await client.closed).to.equal(1007);
    });

    it('closes with 1002 for a frame that is against the protocol', async () => {
      const client = await open();
      const { _socket: tcp } = client.socket as unknown as { _socket: NodeJS.WritableStream };
      tcp.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]));
      expect(await client.closed).to.equal(1002);
    });

    it('answers a close frame', async () => {
      const client = await open();
      client.socket.close(1000, 'bye');
      expect(await client.closed).to.equal(1000);
    });

    it('puts fragments together', async () => {
      const client = await open();
      const text = JSON.stringify({ type: 'register', payload: { deviceId: client.deviceId } });
      client.socket.send(text.slice(0, 10), { fin: false });
      client.socket.ping();
      client.socket.send(text.slice(10, 20), { fin: false });
      client.socket.send(text.slice(20), { fin: true });
      expect(await client.next()).to.include({ type: 'registered' });
    });

    it('ends a socket that never registers, and says why', async () => {
      const client = await open();
      expect(await client.closed).to.equal(1008);
    });

    it('ends a socket behind which nobody is', async () => {
      const { port, hostname } = new URL(given.instances[0]!.url);
      const tcp = connect(Number(port), hostname);
      await once(tcp, 'connect');
      tcp.write(
        [
          'GET /ws/device-link HTTP/1.1',
          'host: x',
          'connection: upgrade',
          'upgrade: websocket',
          'sec-websocket-version: 13',
          'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
          `authorization: Bearer ${given.userId} ${randomUUID()}`,
          '\r\n',
        ].join('\r\n'),
      );
      tcp.on('error', () => undefined).resume();
      const text = Buffer.from(JSON.stringify({ type: 'register', payload: { deviceId: other } }));
      await eventually('it is in', () => {
        if (tcp.bytesRead > 0 && tcp.bytesWritten < 500) {
          tcp.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
        }
        return given.instances[0]!.link.inUse().devices === 1 ? true : undefined;
      });
      await once(tcp, 'close');
      await given.quiet();
    });

    it('survives bytes and JSON of chance', async () => {
      const pick = chance(7);
      const types = [
        'register',
        'heartbeat',
        'event',
        'rpc.request',
        'rpc.response',
        'event-ack',
        'pong',
        'terminal.binary.bind',
        'x',
      ];
      const value = (depth: number): unknown => {
        const kinds = [null, true, pick(1e9) - 5e8, 0.5, '', 'text', '\u0000\ud800', `k${pick(9)}`];
        if (depth === 0 || pick(3) > 0) return kinds[pick(kinds.length)];
        if (pick(2) === 0) return Array.from({ length: pick(4) }, () => value(depth - 1));
        const keys = [
          'deviceId',
          'sessionId',
          'resumeToken',
          'lastEventId',
          'id',
          'method',
          'params',
          'clientId',
          'eventType',
          'payload',
          'a_b',
          'isFinal',
          'error',
        ];
        return Object.fromEntries(Array.from({ length: pick(6) }, () => [keys[pick(keys.length)], value(depth - 1)]));
      };
      const frame = (): string | Buffer => {
        const kind = pick(4);
        if (kind === 0) return Buffer.from(Array.from({ length: pick(64) }, () => pick(256)));
        if (kind === 1) return `PTC1${'\u0000'.repeat(pick(9))}`;
        return JSON.stringify({ type: types[pick(types.length)], payload: value(4) });
      };
      const another = async (): Promise<RawClient> => {
        const client = await open({ clientType: pick(3) === 0 ? 'desktop' : 'mobile' });
        if (pick(2) === 0) client.send({ type: 'register', payload: { deviceId: client.deviceId } });
        return client;
      };
      const fuzzing = await Promise.all(Array.from({ length: 10 }, another));
      for (let n = 0; n < 3_000; n += 1) {
        const which = pick(fuzzing.length);
        const { socket } = fuzzing[which]!;
        if (socket.readyState === socket.OPEN) socket.send(frame(), { binary: pick(4) === 0 });
        else fuzzing[which] = await another();
        if (n % 10 === 0) await new Promise(setImmediate);
      }
      await isAlive(await open());
      for (const { socket } of fuzzing) socket.terminate();
      await given.quiet();
      expect(await given.instances[0]!.relay.present(given.userId)).to.deep.equal([]);
      expect(await given.instances[0]!.relay.routes(given.userId)).to.deep.equal([]);
    });

    it('answers each of 10,000 frames that come at once', async () => {
      const client = await open();
      await client.register();
      const before = client.said.length;
      for (let n = 0; n < 10_000; n += 1) client.send(n % 2 === 0 ? { type: 'heartbeat', payload: {} } : 'nonsense');
      await eventually('10,000 answers', () => (client.said.length >= before + 10_000 ? true : undefined), 20_000);
      const said = client.said.slice(before);
      expect(said.filter(({ type }) => type === 'pong').length).to.equal(5_000);
      expect(said.filter(({ code }) => code === 'invalidJson').length).to.equal(5_000);
    });

    it('leaks nothing of 300 clients that go in the middle of registering', async () => {
      const pick = chance(11);
      for (let n = 0; n < 300; n += 1) {
        const client = await open({ deviceId: n % 2 === 0 ? other : randomUUID() });
        client.send({ type: 'register', payload: { deviceId: client.deviceId, lastEventId: n } });
        client.send({ type: 'terminal.binary.bind', payload: { sessionId: 't' } });
        if (pick(2) === 0) await new Promise(setImmediate);
        if (pick(3) === 0) await client.next();
        client.socket.terminate();
      }
      await given.quiet();
      expect(await given.instances[0]!.relay.present(given.userId)).to.deep.equal([]);
      expect(await given.instances[0]!.relay.routes(given.userId)).to.deep.equal([]);
    });
  });
});
