import { expect } from 'chai';
import { outbox } from '../../src/ws/llm-socket/outbox.ts';
import { scriptedUpstream, started, text, used, finished } from '../completions/scripted-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { asking, givenSocket, textOf, type GivenSocket } from './given-socket.ts';

/** A socket that takes what it is given only when told so. */
const stuckSocket = () => {
  const sent: string[] = [];
  const callbacks: (() => void)[] = [];
  let buffered = 0;
  return {
    sent,
    get bufferedAmount() {
      return buffered;
    },
    send: ((frame: string, taken: () => void) => {
      sent.push(frame);
      buffered += frame.length;
      callbacks.push(() => {
        buffered -= frame.length;
        taken();
      });
    }) as never,
    /** The network takes one frame. */
    drain: () => callbacks.shift()?.(),
  };
};

describe('the outbox of a socket', () => {
  const idle = { onOverflow: () => undefined, onProgress: () => undefined };

  /** A stream that sends its pieces one after the other, waiting when it must. */
  const stream = async (out: ReturnType<typeof outbox>, name: string, pieces: number): Promise<void> => {
    for (let n = 0; n < pieces; n += 1) {
      const slow = out.send(`${name}${n}`);
      if (slow !== undefined) await slow;
    }
  };

  it('serves those who wait in turn, however much one of them has', async () => {
    const socket = stuckSocket();
    const out = outbox(socket, { ...idle, fullAt: 2, overflowAt: 1_000 });
    const streams = [stream(out, 'a', 50), stream(out, 'b', 5), stream(out, 'c', 5)];
    while (socket.sent.length < 60) {
      socket.drain();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    await Promise.all(streams);
    const firstTwenty = socket.sent.slice(0, 16).map((frame) => frame[0]);
    for (const name of ['b', 'c']) expect(firstTwenty.filter((first) => first === name)).to.have.length(5);
    expect(socket.sent.filter((frame) => frame.startsWith('a'))).to.deep.equal(
      Array.from({ length: 50 }, (_, n) => `a${n}`),
    );
  });

  it('holds no more than what is full and one piece more', async () => {
    const socket = stuckSocket();
    const out = outbox(socket, { ...idle, fullAt: 10, overflowAt: 1_000 });
    for (const name of ['a', 'b', 'c']) void stream(out, name, 100);
    await Promise.resolve();
    expect(socket.bufferedAmount).to.be.lessThan(10 + 4);
    out.close();
  });

  it('lets everybody go when it closes, and sends nothing more', async () => {
    const socket = stuckSocket();
    const out = outbox(socket, { ...idle, fullAt: 1, overflowAt: 1_000 });
    const waiting = stream(out, 'a', 5);
    out.close();
    await waiting;
    out.tell('late');
    expect(socket.sent).to.deep.equal(['a0']);
  });

  it('says when words are not read either', () => {
    const socket = stuckSocket();
    let overflows = 0;
    const out = outbox(socket, { ...idle, fullAt: 1, overflowAt: 8, onOverflow: () => (overflows += 1) });
    for (let n = 0; n < 4; n += 1) out.tell('word');
    expect([socket.sent.length, overflows]).to.deep.equal([2, 2]);
  });
});

describe('/ws/llm read slowly', () => {
  let given: GivenSocket;
  afterEach(() => given.close());

  const PIECE = 'x'.repeat(64 * 1024);
  const PIECES = 150;
  const FULL = 64 * 1024;

  it('sends no faster than it is read, and loses nothing', async () => {
    const upstream = scriptedUpstream([
      started,
      ...Array<typeof started>(PIECES).fill(text(PIECE)),
      used(1, 9),
      finished,
    ]);
    given = await givenSocket(upstream, { limits: { bufferedBytes: FULL }, credit: 1_000_000_000n });
    const client = await given.connect();
    client.socket.pause();
    client.send({ type: 'start', id: 'a', request: asking('x', { max_tokens: 100_000 }) });
    // The answer is whole and charged, while most of it has not been taken by the client.
    await eventually('the charge', () => given.last('ReservationCaptured'));
    expect(client.said).to.deep.equal([]);
    client.socket.resume();
    expect((await client.end('a')).type).to.equal('completed');
    expect(textOf(client.about('a')).length).to.equal(PIECES * PIECE.length);
  });

  it('closes with 1013 when a client asks and does not read what it is told', async () => {
    given = await givenSocket(scriptedUpstream([]), { limits: { bufferedBytes: 1_024, burst: 1_000_000 } });
    const client = await given.connect();
    client.socket.pause();
    const nonsense = JSON.stringify({ type: 'x'.repeat(100), id: 'y'.repeat(60) });
    const flood = setInterval(() => {
      for (let n = 0; n < 500; n += 1) client.send(nonsense);
    }, 1);
    try {
      await eventually(
        'the end of patience',
        () => given.logged.find(({ message }) => message === 'closing a socket'),
        15_000,
      );
    } finally {
      clearInterval(flood);
    }
    client.socket.resume();
    expect(await client.closed).to.deep.equal({ code: 1013, reason: 'read what you are sent' });
  });
});
