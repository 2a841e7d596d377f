import { once } from 'node:events';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Budget } from '../../src/kernel/budget.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { eventually } from '../support/eventually.ts';
import { roomOf } from '../../src/http/room.ts';
import { asking, givenSandbox, givenSocket, type GivenSandbox, type Said } from './given-socket.ts';
import { scriptedUpstream, started, text } from '../completions/scripted-upstream.ts';

const UNKNOWN = '00000000-0000-4000-8000-00000000beef';

const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const toolOf = (parameters: string): string =>
  `{"type":"function","function":{"name":"look","parameters":${parameters}}}`;
/** A good start but for what else is in it. */
const startWith = (members: string): string =>
  `{"type":"start","id":"a","request":{"model":"sandbox/echo","messages":[{"role":"user","content":"hi"}],${members}}}`;

const ADA = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';

const errorOf = ({ error }: Said): Readonly<Record<string, unknown>> => error as Record<string, unknown>;

describe('/ws/llm: what is not a good message', () => {
  let given: GivenSandbox;
  before(async () => {
    given = await givenSandbox({ limits: { burst: 100_000 } });
  });
  after(async () => {
    const faults = given.faults;
    await given.close();
    expect(faults).to.deep.equal([]);
  });

  const wrong: readonly (readonly [string, string, string | null])[] = [
    ['nothing', '', null],
    ['text', 'hello', null],
    ['half an object', '{"type":"start"', null],
    ['no object', '[1,2]', null],
    ['null', 'null', null],
    ['an unknown type', '{"type":"dance","id":"a"}', 'a'],
    ['no type', '{"id":"a"}', 'a'],
    ['a stream without a name', '{"type":"cancel"}', null],
    ['a name with a space', '{"type":"cancel","id":"a b"}', null],
    ['a name that is too long', JSON.stringify({ type: 'cancel', id: 'a'.repeat(65) }), null],
    ['a name that is a number', '{"type":"cancel","id":7}', null],
    ['a start without a request', '{"type":"start","id":"a"}', 'a'],
    ['a resume of no request id', '{"type":"resume","id":"a","requestId":"x"}', 'a'],
    [
      'a position before the beginning',
      JSON.stringify({ type: 'resume', id: 'a', requestId: UNKNOWN, after: -1 }),
      'a',
    ],
    ['a position that is no number', JSON.stringify({ type: 'resume', id: 'a', requestId: UNKNOWN, after: '1' }), 'a'],
    ['a request nested beyond all measure', `{"type":"start","id":"a","request":${nested(20_000)}}`, 'a'],
    ['a tool nested beyond all measure', startWith(`"tools":[${toolOf(nested(20_000))}]`), 'a'],
    ['a member that names a prototype', startWith('"__proto__":{"stream":true}'), 'a'],
    ['a number without end', startWith('"temperature":1e999'), 'a'],
    ['a stream that is not running', '{"type":"cancel","id":"a"}', 'a'],
  ];
  for (const [what, frame, id] of wrong) {
    it(`is told an error and no more: ${what}`, async () => {
      const client = await given.connect();
      client.send(frame);
      client.send({ type: 'ping' });
      await client.told(({ type }) => type === 'pong');
      expect(client.said.map(({ type }) => type)).to.deep.equal(['error', 'pong']);
      expect(client.said[0]!.id).to.equal(id);
      expect(errorOf(client.said[0]!)['code']).to.be.oneOf([400, 404]);
      client.cut();
    });
  }

  it('may be binary', async () => {
    const client = await given.connect();
    client.socket.send(Buffer.from('{"type":"ping"}'), { binary: true });
    const error = await client.told(({ type }) => type === 'error');
    expect([error.id, errorOf(error)['error_type']]).to.deep.equal([null, 'bad_request']);
    client.cut();
  });

  it('may be anything at all, and the socket lives', async () => {
    const client = await given.connect();
    const member = fc.oneof(
      fc.constantFrom('start', 'resume', 'cancel', 'ping', 'a', 'b', UNKNOWN),
      fc.jsonValue({ maxDepth: 3 }),
    );
    const message = fc.oneof(
      fc.string({ unit: 'binary' }).filter((frame) => frame.isWellFormed()),
      fc.json(),
      fc
        .record({ type: member, id: member, request: member, requestId: member, after: member }, { requiredKeys: [] })
        .map((value) => JSON.stringify(value)),
    );
    let pings = 0;
    let heard = 0;
    client.socket.on('message', (data: Buffer) => {
      if (data.toString() === '{"type":"pong"}') heard += 1;
    });
    await fc.assert(
      fc.asyncProperty(message, fc.boolean(), async (frame, binary) => {
        client.socket.send(frame, { binary });
        client.send({ type: 'ping' });
        pings += 1;
        if (pings % 20 === 0) await eventually('all pongs', () => (heard >= pings ? true : undefined));
      }),
      { numRuns: 400 },
    );
    expect(new Set(client.said.map(({ type }) => type))).to.deep.equal(new Set(['error', 'pong']));
    client.cut();
  });

  it('closes with 1009 when it is larger than any may be', async () => {
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('x'.repeat(300 * 1024)) });
    expect((await client.closed).code).to.equal(1009);
  });

  it('closes with 1007 when it is no text', async () => {
    const client = await given.connect();
    client.socket.send(Buffer.from([0x7b, 0xff, 0xfe]), { binary: false });
    expect((await client.closed).code).to.equal(1007);
  });
});

describe('/ws/llm: limits', () => {
  let close: () => Promise<void> = () => Promise.resolve();
  afterEach(() => close());

  const open = async (...options: Parameters<typeof givenSandbox>): Promise<GivenSandbox> => {
    const given = await givenSandbox(...options);
    close = given.close;
    return given;
  };
  const stalling = asking('[[sandbox stallAfter=1]] one two');

  it('refuses a stream too many, and one of a name in use, and ends neither', async () => {
    const given = await open({ limits: { streams: 2 } });
    const client = await given.connect();
    for (const id of ['a', 'b']) client.send({ type: 'start', id, request: stalling });
    await client.told(({ type, id }) => type === 'chunk' && id === 'b');
    client.send({ type: 'start', id: 'c', request: stalling });
    expect(errorOf(await client.end('c'))).to.include({ error_type: 'rate_limit_error', code: 429 });
    client.send({ type: 'start', id: 'a', request: stalling });
    const error = await client.told((message) => message.type === 'error' && message.id === null);
    expect(errorOf(error)).to.include({ error_type: 'already_exists' });
    client.send({ type: 'cancel', id: 'a' });
    expect((await client.end('a')).type).to.equal('cancelled');
  });

  it('refuses a start for which there is no room, until another one is over', async () => {
    const given = await open({ room: roomOf({ mostBytes: 400_000, freeBytes: 1_000, what: 'requests' }) });
    const client = await given.connect();
    const large = (id: string, text: string): object => ({
      type: 'start',
      id,
      request: asking(text, { padding: 'x'.repeat(80_000) }),
    });
    client.send(large('a', '[[sandbox stallAfter=1]] one two'));
    await client.told(({ type, id }) => type === 'chunk' && id === 'a');
    client.send(large('b', 'one'));
    const refused = await client.end('b');
    expect(errorOf(refused)).to.include({ error_type: 'rate_limit_error', code: 429 });
    expect(refused).to.include({ retryAfterSeconds: 5 });
    client.send({ type: 'start', id: 'c', request: asking('small') });
    expect((await client.end('c')).type).to.equal('completed');
    client.send({ type: 'cancel', id: 'a' });
    await client.end('a');
    let tries = 0;
    await eventually('the room', async () => {
      const id = `d${(tries += 1)}`;
      client.send(large(id, 'one'));
      return (await client.end(id)).type === 'completed' ? true : undefined;
    });
  });

  const roomFor = (mostBytes: number) => {
    const room = roomOf({ mostBytes, freeBytes: 1_000, what: 'requests' });
    /** True when Ada may not have so many bytes more just now. */
    const refuses = (bytes: number): boolean => {
      const share = room(ADA);
      try {
        share.grow(bytes);
        return false;
      } catch {
        return true;
      } finally {
        share.giveBack();
      }
    };
    const becomes = (bytes: number, refused: boolean): Promise<true> =>
      eventually('the room', () => (refuses(bytes) === refused ? true : undefined));
    return { room, becomes };
  };

  it('keeps the room of a request whose socket is gone until its work is over', async () => {
    const { room, becomes } = roomFor(400_000);
    const given = await open({ room });
    const client = await given.connect();
    const request = asking('[[sandbox stallAfter=1]] one two', { padding: 'x'.repeat(80_000) });
    client.send({ type: 'start', id: 'a', request });
    const { requestId } = await client.told(({ type }) => type === 'started');
    client.cut();
    await client.closed;
    await given.connect();
    await becomes(80_000, true);
    await given.completions.find(requestId as string)?.stop('cancel');
    await becomes(80_000, false);
  });

  it('closes with 1013 when half a message has no room, and gives all room back', async () => {
    const { room, becomes } = roomFor(520_000);
    const given = await open({ arrivals: room });
    const half = async () => {
      const client = await given.connect();
      client.socket.send('x'.repeat(120_000), { fin: false });
      return client;
    };
    const first = await half();
    await becomes(20_000, true);
    const second = await half();
    expect((await second.closed).code).to.equal(1013);
    first.socket.send('x', { fin: true });
    expect(errorOf(await first.told(({ type }) => type === 'error'))).to.include({ code: 400 });
    await becomes(120_000, false);
    const third = await half();
    await becomes(20_000, true);
    third.cut();
    await becomes(120_000, false);
  });

  it('does not count answers to its pings', async () => {
    const { room, becomes } = roomFor(520_000);
    const given = await open({ arrivals: room });
    const client = await given.connect();
    for (let sent = 0; sent < 1_500; sent += 1) client.socket.pong('x'.repeat(120));
    client.send({ type: 'ping' });
    await client.told(({ type }) => type === 'pong');
    client.socket.send('x'.repeat(60_000), { fin: false });
    client.socket.ping();
    await once(client.socket, 'pong');
    await becomes(130_000, false);
  });

  it('refuses a socket too many', async () => {
    const given = await open({ limits: { socketsPerUser: 1 } });
    const first = await given.connect();
    const second = await given.connect();
    expect(await second.closed).to.include({ code: 1013 });
    first.cut();
    await eventually('a place', async () => {
      const third = await given.connect();
      third.send({ type: 'ping' });
      return Promise.race([third.told(({ type }) => type === 'pong'), third.closed.then(() => undefined)]);
    });
  });

  it('closes when there are too many messages', async () => {
    const given = await open({ limits: { burst: 5, messagesPerSecond: 0 } });
    const client = await given.connect();
    for (let n = 0; n < 6; n += 1) client.send({ type: 'ping' });
    expect(await client.closed).to.deep.equal({ code: 1008, reason: 'too many messages' });
    expect(client.said).to.have.length(5);
  });

  it('counts what is started and resumed as requests of the user', async () => {
    const counted: string[] = [];
    const given = await open({
      gate: {
        countAddress: () => Promise.resolve({ allowed: true, max: 9, remaining: 9, resetSeconds: 1 }),
        countUser: (scope, userId) => {
          counted.push(`${scope} ${userId}`);
          return Promise.resolve({ allowed: counted.length < 2, max: 1, remaining: 0, resetSeconds: 8 });
        },
      },
    });
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('one') });
    const { requestId } = await client.end('a');
    client.send({ type: 'resume', id: 'b', requestId });
    const refused = await client.end('b');
    expect(refused).to.include({ retryAfterSeconds: 8 });
    expect(errorOf(refused)).to.include({ code: 429 });
    expect(counted).to.deep.equal(Array(2).fill(`write ${ADA}`));
  });

  it('keeps to the budget that an API key has when it asks, not when it came', async () => {
    let budget: Budget | null = null;
    const scopes = ['chat'] as const;
    const given = await open({
      keyNow: (caller) => Promise.resolve({ ...caller, apiKey: { keyId: UNKNOWN, scopes, budget } }),
    });
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('one') });
    expect((await client.end('a')).type).to.equal('completed');
    budget = { limit: 1n, period: 'total' };
    client.send({ type: 'start', id: 'b', request: asking('one') });
    expect(errorOf(await client.end('b'))).to.include({ code: 402, error_type: 'spending_limit_exceeded' });
  });

  it('cuts a socket whose other end has vanished', async () => {
    const given = await open({ limits: { heartbeatMs: 30 } });
    const dead = await given.connect('ada', { autoPong: false });
    const alive = await given.connect();
    expect((await dead.closed).code).to.equal(1006);
    alive.send({ type: 'ping' });
    await alive.told(({ type }) => type === 'pong');
  });

  it('closes with 1008 when the session ends, and with 1012 when the server does', async () => {
    const first = await open();
    const told = await first.connect();
    first.endSession();
    expect(await told.closed).to.deep.equal({ code: 1008, reason: 'the session has ended' });
    await close();
    const second = await open();
    const client = await second.connect();
    client.send({ type: 'start', id: 'a', request: stalling });
    await client.told(({ type }) => type === 'chunk');
    second.stopping.abort();
    expect(await client.closed).to.deep.equal({ code: 1012, reason: 'the server restarts' });
    // What runs goes on: it can be resumed elsewhere.
    expect(second.completions.active()).to.equal(1);
  });

  it('needs a token', async () => {
    const given = await open();
    await given.connect('nobody').then(
      () => expect.fail('opened'),
      (error: unknown) => expect(String(error)).to.contain('401'),
    );
  });

  it('logs a fault of its own and tells nothing of it', async () => {
    const given = await givenSocket(scriptedUpstream([started, text('one')]), {
      gate: {
        countAddress: () => Promise.reject(new Error('the counter is broken')),
        countUser: () => Promise.reject(new DomainError('forbidden', 'not asked')),
      },
    });
    close = given.close;
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('one') });
    const error = errorOf(await client.end('a'));
    expect(error).to.include({ code: 500, error_type: 'internal_error' });
    expect(JSON.stringify(error)).to.not.contain('counter');
    expect(given.faults).to.have.length(1);
  });
});
