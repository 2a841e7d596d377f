import { expect } from 'chai';
import { eventually } from '../support/eventually.ts';
import { asking, givenSandbox, isEnd, textOf, type GivenSandbox, type Said } from './given-socket.ts';

const UNKNOWN = '00000000-0000-4000-8000-00000000beef';
const errorOf = ({ error }: Said): Readonly<Record<string, unknown>> => error as Record<string, unknown>;

describe('/ws/llm', () => {
  let given: GivenSandbox;
  afterEach(async () => {
    const faults = given.faults;
    await given.close();
    expect(faults).to.deep.equal([]);
  });

  it('answers start with started, chunks and the charge', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('Grüße an 世界 👋🏽') });
    const end = await client.end('a');
    const [first, ...rest] = client.about('a');
    const requestId = first!['requestId'];
    expect(first).to.deep.include({ type: 'started', id: 'a', model: 'sandbox/echo', replayed: false });
    expect(first).to.not.have.property('key');
    expect(textOf(rest)).to.equal('Grüße an 世界 👋🏽');
    const chunks = rest.slice(0, -1);
    expect(chunks.every(({ type }) => type === 'chunk')).to.equal(true);
    const positions = chunks.map(({ position }) => position as number);
    expect(positions).to.deep.equal([...new Set(positions)].toSorted((a, b) => a - b));
    expect(chunks[0]!['chunk']).to.deep.include({
      id: `chatcmpl-${String(requestId)}`,
      object: 'chat.completion.chunk',
      model: 'sandbox/echo',
      choices: [{ index: 0, delta: { role: 'assistant', content: 'Gr' } }],
    });
    expect((chunks.at(-1)!['chunk'] as { choices: unknown }).choices).to.deep.equal([
      { index: 0, delta: {}, finish_reason: 'stop' },
    ]);
    const { metered } = given.last('ReservationCaptured')!.data;
    expect(end).to.deep.equal({
      type: 'completed',
      id: 'a',
      requestId,
      finalCost: Number(metered.cost) / 1e6,
      tokensInput: metered.usage.inputUncached,
      tokensOutput: metered.usage.outputVisible,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    });
  });

  it('writes who asked into the events', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('hello') });
    await client.end('a');
    const reserved = given.store.log().find(({ type }) => type === 'FundsReserved');
    expect(reserved!.metadata).to.deep.include({
      actor: { kind: 'user', id: '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f' },
      sessionId: '1b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f',
    });
  });

  it('carries several streams at a time, each with its own text', async () => {
    given = await givenSandbox({ credit: 100_000_000n });
    const client = await given.connect();
    const ids = Array.from({ length: 12 }, (_, index) => `stream-${index}`);
    for (const id of ids)
      client.send({ type: 'start', id, request: asking(`[[sandbox delay=2 tokens=40]] ${id} speaks `) });
    await Promise.all(ids.map((id) => client.end(id)));
    for (const id of ids) {
      const text = textOf(client.about(id));
      expect(text)
        .to.match(new RegExp(`^${id} speaks`))
        .and.not.match(new RegExp(`stream-(?!${id.slice(7)}\\b)`));
      expect(client.about(id).filter(isEnd)).to.have.length(1);
    }
    const order = client.said.filter(({ type }) => type === 'chunk').map(({ id }) => id);
    const changes = order.filter((id, index) => id !== order[index - 1]).length;
    expect(changes).to.be.greaterThan(ids.length * 3);
  });

  it('lets the name of a stream be used again after its end', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('one') });
    await client.end('a');
    client.send({ type: 'start', id: 'a', request: asking('two') });
    await client.told((message) => message.type === 'completed' && message !== client.said.find(isEnd));
    expect(textOf(client.about('a'))).to.equal('onetwo');
  });

  it('cancels a stream by its name, once, and leaves the others alone', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'stay', request: asking('[[sandbox delay=20 tokens=30]] one two') });
    client.send({ type: 'start', id: 'go', request: asking('[[sandbox stallAfter=2]] one two three') });
    await client.told(({ id, type, position }) => id === 'go' && type === 'chunk' && position !== undefined);
    client.send({ type: 'cancel', id: 'go' });
    client.send({ type: 'cancel', id: 'go' });
    const end = await client.end('go');
    expect(end).to.include({ type: 'cancelled', reason: 'cancelled on request' });
    expect((await client.end('stay')).type).to.equal('completed');
    expect(client.about('go').filter(isEnd)).to.have.length(1);
    client.send({ type: 'cancel', id: 'go' });
    const late = await client.told((message) => message.type === 'error');
    expect(late.id).to.equal('go');
    expect(errorOf(late)).to.include({ error_type: 'not_found', code: 404 });
    const charges = given.said().filter(({ type }) => type === 'ReservationCaptured');
    expect(charges.map(({ data }) => (data as { endedBy: string }).endedBy).toSorted()).to.deep.equal([
      'cancel',
      'provider',
    ]);
  });

  it('cancels a stream that has not begun yet', async () => {
    given = await givenSandbox({ headWaitMs: 50 });
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('[[sandbox latency=60000]] one') });
    client.send({ type: 'cancel', id: 'a' });
    expect((await client.end('a')).type).to.equal('cancelled');
    expect(given.completions.active()).to.equal(0);
  });

  it('answers ping', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'ping' });
    expect(await client.told(({ type }) => type === 'pong')).to.deep.equal({ type: 'pong' });
  });

  it('tells refusals with the envelope and goes on', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('x', { model: 'no/such-model' }) });
    expect(errorOf(await client.end('a'))).to.include({ code: 404, error_type: 'not_found', errorType: 'not_found' });
    client.send({ type: 'start', id: 'b', request: asking('x', { temperature: 9 }) });
    const invalid = errorOf(await client.end('b'));
    expect(invalid).to.include({ code: 400, error_type: 'validation_error' });
    expect(invalid['message']).to.contain('request.temperature');
    client.send({ type: 'start', id: 'c', key: 'no good key', request: asking('x') });
    expect(errorOf(await client.end('c'))).to.include({ error_type: 'bad_request' });
    client.send({ type: 'start', id: 'd', request: asking('[[sandbox status=503 retryAfter=7]] x') });
    const down = await client.end('d');
    expect(down).to.include({ retryAfterSeconds: 7, fallbackAttempted: false });
    expect(errorOf(down)).to.include({ code: 502, error_type: 'external_service_error' });
    client.send({ type: 'start', id: 'e', request: asking('still here') });
    expect((await client.end('e')).type).to.equal('completed');
  });

  it('says 402 before the provider is asked', async () => {
    given = await givenSandbox({ credit: 10n });
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('x', { max_tokens: 100_000 }) });
    expect(errorOf(await client.end('a'))).to.include({ code: 402, error_type: 'credit_insufficient' });
    expect(given.sandbox.stats().requests).to.equal(0);
  });

  it('tells what an answer cost that broke off', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('[[sandbox failAfter=3]] one two three four') });
    const end = await client.end('a');
    expect(end).to.include({ type: 'error', tokensOutput: 3 });
    expect(end['finalCost']).to.equal(Number(given.last('ReservationCaptured')!.data.metered.cost) / 1e6);
    expect(textOf(client.about('a'))).to.equal('one two three');
  });

  it('joins what a request with the same key has begun, over whatever transport, and charges once', async () => {
    given = await givenSandbox();
    const [first, second] = [await given.connect(), await given.connect()];
    const request = asking('[[sandbox delay=15 tokens=12]] one two three');
    first.send({ type: 'start', id: 'a', key: 'once', request });
    await first.told(({ type }) => type === 'chunk');
    second.send({ type: 'start', id: 'b', request: { ...request, request_id: 'once' } });
    const overHttp = await fetch(`${given.url}/api/llm/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer ada', 'content-type': 'application/json', 'idempotency-key': 'once' },
      body: JSON.stringify({ ...request, stream: true }),
    });
    const contents = [...(await overHttp.text()).matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)];
    await Promise.all([first.end('a'), second.end('b')]);
    expect(second.about('b')[0]).to.include({ replayed: true, key: 'once' });
    const text = textOf(first.about('a'));
    expect(textOf(second.about('b'))).to.equal(text);
    expect(contents.map(([, content]) => content).join('')).to.equal(text);
    expect(given.sandbox.stats().requests).to.equal(1);
    expect(given.types().filter((type) => type === 'ReservationCaptured')).to.have.length(1);
  });

  it('refuses a key that stands for other work', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', key: 'k', request: asking('one') });
    await client.end('a');
    client.send({ type: 'start', id: 'b', key: 'k', request: asking('two') });
    expect(errorOf(await client.end('b'))).to.include({ code: 409, error_type: 'already_exists' });
  });

  it('refuses to resume what is unknown or somebody else’s, or beyond its end', async () => {
    given = await givenSandbox();
    const [mine, other] = [await given.connect(), await given.connect('grace')];
    mine.send({ type: 'start', id: 'a', request: asking('one two') });
    const { requestId } = await mine.end('a');
    mine.send({ type: 'resume', id: 'x', requestId: UNKNOWN });
    expect(errorOf(await mine.end('x'))).to.include({ error_type: 'not_found' });
    other.send({ type: 'resume', id: 'y', requestId });
    expect(errorOf(await other.end('y'))).to.include({ error_type: 'forbidden' });
    mine.send({ type: 'resume', id: 'z', requestId, after: 1_000 });
    expect(errorOf(await mine.end('z'))).to.include({ error_type: 'invalid_argument' });
    expect(other.about('y').map(({ type }) => type)).to.deep.equal(['error']);
  });

  it('resumes by the key as well, from the beginning', async () => {
    given = await givenSandbox();
    const client = await given.connect();
    client.send({ type: 'resume', id: 'a', key: 'mine' });
    expect(errorOf(await client.end('a'))).to.include({ error_type: 'not_found' });
    client.send({ type: 'start', id: 'b', key: 'mine', request: asking('one two') });
    const { requestId } = await client.end('b');
    client.send({ type: 'resume', id: 'c', key: 'mine' });
    expect(await client.end('c')).to.include({ type: 'completed', requestId });
    expect(textOf(client.about('c'))).to.equal('one two');
    const other = await given.connect('grace');
    other.send({ type: 'resume', id: 'd', key: 'mine' });
    expect(errorOf(await other.end('d'))).to.include({ error_type: 'not_found' });
    const wrong = [{ key: 'mine', after: 1 }, { key: 'mine', requestId }, {}, { key: 'not mine' }];
    for (const [index, named] of wrong.entries()) {
      client.send({ type: 'resume', id: `wrong-${index}`, ...named });
      expect(errorOf(await client.end(`wrong-${index}`))['code'], JSON.stringify(named)).to.equal(400);
    }
  });

  it('gives a resumed answer to both sockets, whichever came first', async () => {
    given = await givenSandbox();
    const [first, second] = [await given.connect(), await given.connect()];
    first.send({ type: 'start', id: 'a', request: asking('[[sandbox delay=10 tokens=20]] a b c d') });
    const { requestId } = await first.told(({ type }) => type === 'started');
    second.send({ type: 'resume', id: 'b', requestId });
    await Promise.all([first.end('a'), second.end('b')]);
    const chunks = (messages: readonly Said[]) =>
      messages.filter(({ type }) => type === 'chunk').map(({ position, chunk }) => ({ position, chunk }));
    expect(chunks(second.about('b'))).to.deep.equal(chunks(first.about('a')));
  });

  it('ends what nobody comes back for, and charges what was made', async () => {
    given = await givenSandbox({ lingerMs: 30 });
    const client = await given.connect();
    client.send({ type: 'start', id: 'a', request: asking('[[sandbox stallAfter=3]] one two three four') });
    await client.told((message) => textOf([message]).includes('three'));
    client.cut();
    const captured = await eventually('the charge', () => given.last('ReservationCaptured'));
    expect(captured.data).to.include({ endedBy: 'client' });
    expect(given.completions.active()).to.equal(0);
  });
});
