import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { givenLinks, type GivenLinks } from './given-links.ts';

const MIB = 1024 * 1024;
/** More than the network takes before somebody reads. */
const ANSWERS = 15;

describe('a device that went while it was told what it had missed', () => {
  let given: GivenLinks;
  const sockets: WebSocket[] = [];
  before(async () => {
    given = await givenLinks();
  });
  after(async () => {
    for (const socket of sockets) socket.terminate();
    expect(given.faults()).to.deep.equal([]);
    await given.close();
  });

  const open = async (deviceId: string): Promise<WebSocket> => {
    const url = given.instances[0]?.url.replace('http', 'ws') ?? '';
    const headers = { authorization: `Bearer ${given.userId} ${randomUUID()}`, 'x-device-id': deviceId };
    const socket = new WebSocket(`${url}/ws/device-link`, { headers, perMessageDeflate: false });
    sockets.push(socket);
    await once(socket, 'open');
    return socket;
  };

  it('is let in again at once, and gets all of it in one go', async () => {
    const deviceId = randomUUID();
    const relay = given.instances[0]?.relay;
    const ids = Array.from({ length: ANSWERS }, (_, n) => `answer ${n}`);
    for (const id of ids) {
      const frame = JSON.stringify({ type: 'rpc.response', payload: { id, result: 'x'.repeat(MIB) } });
      await relay?.keepMail(given.userId, deviceId, { frame, instead: frame.slice(0, 100) });
    }
    const register = JSON.stringify({ type: 'register', payload: { deviceId } });

    const gone = await open(deviceId);
    gone.pause();
    gone.send(register);
    await eventually('it is in', async () =>
      (await relay?.present(given.userId))?.some((other) => other.deviceId === deviceId) ? true : undefined,
    );

    const told = new Set<string>();
    const closes: number[] = [];
    const back = await open(deviceId);
    back.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString('utf8')) as { type: string; payload?: { id?: string } };
      told.add(payload?.id ?? type);
    });
    back.once('close', (code) => void closes.push(code));
    back.send(register);
    await eventually('it is in again', () => (told.has('registered') ? true : undefined));
    await eventually('all answers', () => (ids.every((id) => told.has(id)) ? true : undefined));
    expect(closes).to.deep.equal([]);
  });
});
