import { expect } from 'chai';
import { sandboxUpstream } from '../../infra/providers/sandbox/sandbox-upstream.ts';
import { startSandbox, type Sandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { hearing } from '../requests/given-requests.ts';
import { eventually } from '../support/eventually.ts';
import { scriptedUpstream, started, used, type Step } from '../completions/scripted-upstream.ts';
import { asking, givenSocket, isEnd, textOf, type GivenSocket, type LlmClient, type Said } from './given-socket.ts';

const isChunk = ({ type }: Said): boolean => type === 'chunk';

/** What a client keeps of an answer: chunks by position, and how it ended. */
const keptOf = (messages: readonly Said[]) =>
  messages
    .filter((message) => isChunk(message) || isEnd(message))
    .map(({ type, position, chunk, requestId: _, id: __, ...rest }) =>
      type === 'chunk' ? `${String(position)} ${JSON.stringify(chunk)}` : JSON.stringify({ type, ...rest }),
    );

/** Reads `count` chunks of an answer, is cut, and comes back elsewhere for the rest; again and again. */
const readInPieces = async (
  connect: (attempt: number) => Promise<LlmClient>,
  request: object,
  count: number,
): Promise<readonly Said[]> => {
  const all: Said[] = [];
  let requestId: unknown;
  for (let attempt = 0; !all.some(isEnd); attempt += 1) {
    const client = await connect(attempt);
    const after = (all.findLast(isChunk)?.['position'] ?? 0) as number;
    client.send(
      requestId === undefined ? { type: 'start', id: 'a', request } : { type: 'resume', id: 'a', requestId, after },
    );
    const enough = (): boolean => client.said.filter(isChunk).length >= count || client.said.some(isEnd);
    await eventually('some chunks', () => (enough() ? true : undefined));
    requestId ??= client.said[0]!['requestId'];
    let chunks = 0;
    for (const message of client.said.slice(1)) {
      if (isChunk(message) && (chunks += 1) > count) break;
      all.push(message);
    }
    client.cut();
  }
  return all;
};

describe('/ws/llm resumed', () => {
  let sandbox: Sandbox;
  let upstream: ChatUpstream;
  let here: GivenSocket;
  let there: GivenSocket;
  let deafen: (() => Promise<void>)[];
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  before(async () => {
    sandbox = await startSandbox({ port: 0 });
    upstream = sandboxUpstream({ baseUrl: sandbox.url, clock: () => new Date() });
    here = await givenSocket(upstream, { credit: 100_000_000n });
    there = await givenSocket(upstream, { beside: here });
    deafen = [here, there].map((given) => hearing({ ...given, pause }));
  });
  after(async () => {
    await Promise.all(deafen.map((stop) => stop()));
    const faults = [...here.faults, ...there.faults];
    await there.close();
    await here.close();
    await upstream.close();
    await sandbox.stop();
    expect(faults).to.deep.equal([]);
  });

  const charges = (): number => here.types().filter((type) => type === 'ReservationCaptured').length;

  const whole = async (request: object): Promise<readonly Said[]> => {
    const client = await here.connect();
    client.send({ type: 'start', id: 'a', request });
    await client.end('a');
    return client.said;
  };

  /** Positions and deltas: the id and the time of an answer are its own. */
  const comparable = (kept: readonly string[]): readonly string[] =>
    kept.map((line) => line.replace(/"id":"chatcmpl-[^"]+"/, '').replace(/"created":\d+/, ''));

  const request = asking('[[sandbox delay=12 tokens=9]] Grüße an 世界 👋🏽 ');

  for (const count of [1, 2, 3, 5, 100]) {
    it(`gives the same bytes when cut after every ${count} chunks, for one charge`, async () => {
      const expected = comparable(keptOf(await whole(request)));
      const before = charges();
      const pieces = await readInPieces(() => here.connect(), request, count);
      expect(comparable(keptOf(pieces))).to.deep.equal(expected);
      expect(charges() - before).to.equal(1);
    });

    it(`gives the same bytes when cut after every ${count} chunks, in turn on two instances`, async () => {
      const expected = comparable(keptOf(await whole(request)));
      const before = charges();
      const pieces = await readInPieces((attempt) => [here, there][attempt % 2]!.connect(), request, count);
      expect(comparable(keptOf(pieces))).to.deep.equal(expected);
      expect(charges() - before).to.equal(1);
    });
  }

  it('gives every byte from every position, on both instances, also when it is over', async () => {
    const said = await whole(request);
    const all = keptOf(said);
    const { requestId } = said[0]!;
    const last = said.findLast(isChunk)!['position'] as number;
    for (const given of [here, there]) {
      const client = await given.connect();
      for (let after = 0; after <= last; after += 1) {
        client.send({ type: 'resume', id: `from-${after}`, requestId, after });
        await client.end(`from-${after}`);
        const rest = all.filter((line) => !/^\d+ /.test(line) || Number.parseInt(line, 10) > after);
        expect(keptOf(client.about(`from-${after}`))).to.deep.equal(rest);
      }
    }
  });

  it('can be cancelled from another instance', async () => {
    const first = await here.connect();
    first.send({ type: 'start', id: 'a', request: asking('[[sandbox stallAfter=2]] one two three') });
    await first.told((message) => textOf([message]).includes('two'));
    const { requestId } = first.said[0]!;
    const second = await there.connect();
    second.send({ type: 'resume', id: 'b', requestId });
    await second.told((message) => textOf([message]).includes('two'));
    second.send({ type: 'cancel', id: 'b' });
    expect((await first.end('a')).type).to.equal('cancelled');
    expect((await second.end('b')).type).to.equal('cancelled');
    expect(textOf(second.about('b'))).to.equal('one two');
  });

  it('begins anew with the same key when the socket was cut before anything was heard', async () => {
    const before = charges();
    const first = await here.connect();
    first.send({ type: 'start', id: 'a', key: 'cut-early', request });
    first.cut();
    const second = await there.connect();
    second.send({ type: 'start', id: 'a', key: 'cut-early', request });
    expect((await second.end('a')).type).to.equal('completed');
    expect(charges() - before).to.equal(1);
  });
});

describe('/ws/llm resumed, of an answer of every kind', () => {
  it('gives the same bytes of thoughts, calls and refusals', async () => {
    const script: readonly Step[] = [
      started,
      { type: 'reasoning', text: 'Hm.' },
      { type: 'reasoning', text: ' Well.' },
      { type: 'text', text: 'I call ' },
      { type: 'toolCall', index: 0, id: 'call_1', name: 'add', arguments: '{"a":' },
      { type: 'toolCall', index: 0, arguments: '1}' },
      { type: 'refusal', text: 'No.' },
      used(5, 9),
      { type: 'finish', reason: 'tool_calls', native: 'tool_calls' },
    ];
    const given = await givenSocket(scriptedUpstream(script));
    try {
      const client = await given.connect();
      client.send({ type: 'start', id: 'a', request: asking('x') });
      const { requestId } = await client.end('a');
      const all = keptOf(client.about('a'));
      expect(all).to.have.length(8);
      for (const { position } of client.about('a').filter(isChunk)) {
        const id = `from-${String(position)}`;
        client.send({ type: 'resume', id, requestId, after: position });
        await client.end(id);
        const index = all.findIndex((line) => line.startsWith(`${String(position)} `));
        expect(keptOf(client.about(id))).to.deep.equal(all.slice(index + 1));
      }
    } finally {
      await given.close();
    }
  });
});
