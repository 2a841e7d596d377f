import { expect } from 'chai';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import { signIn, startServer, temporaryDataDir, until, type RunningServer } from '../support/running-server.ts';
import { asking, isEnd, openClient, textOf, type LlmClient, type Said } from '../ws-llm/given-socket.ts';

const isChunk = ({ type }: Said): boolean => type === 'chunk';
const bytesOf = (messages: readonly Said[]): readonly string[] =>
  messages.filter(isChunk).map(({ position, chunk }) => `${String(position)} ${JSON.stringify(chunk)}`);

describe('/ws/llm on two instances', function () {
  this.timeout(180_000);
  const dataDirs = [temporaryDataDir(), temporaryDataDir()] as const;
  const servers: RunningServer[] = [];
  let token: string;
  let api: ApiClient;

  before(async () => {
    servers.push(await startServer(dataDirs[0].path));
    servers.push(await startServer(dataDirs[1].path, { JOIN: dataDirs[0].path }));
    token = await signIn(servers[0]!, 'socket@example.test');
    api = apiClient(servers[0]!.url, token);
  });

  after(async () => {
    for (const server of servers.toReversed()) await server.stop();
    for (const { remove } of dataDirs) remove();
  });

  const connect = (instance: number): Promise<LlmClient> => openClient(servers[instance]!.url, `Bearer ${token}`);

  /** The charges for a request, from the user's own events. */
  const chargesOf = async (requestId: unknown): Promise<number> => {
    const isItsCharge = ({ data }: Readonly<{ data: unknown }>): boolean => {
      const event = data as Partial<Captured>;
      return event.type === 'ReservationCaptured' && event.data?.reservationId === requestId;
    };
    return (await api.events((frames) => frames.some(isItsCharge))).filter(isItsCharge).length;
  };

  it('gives every byte once, and charges once, however often and wherever the client comes back', async () => {
    const request = asking('[[sandbox delay=120 tokens=12]] Grüße an 世界 👋🏽 ');
    const all: Said[] = [];
    let requestId: unknown;
    for (let attempt = 0; !all.some(isEnd); attempt += 1) {
      const client = await connect(attempt % 2);
      const after = all.findLast(isChunk)?.['position'] ?? 0;
      client.send(
        requestId === undefined ? { type: 'start', id: 'a', request } : { type: 'resume', id: 'a', requestId, after },
      );
      const next = await client.told((message) => isChunk(message) || isEnd(message));
      requestId ??= client.said[0]!['requestId'];
      all.push(next);
      client.cut();
    }
    const whole = await connect(1);
    whole.send({ type: 'resume', id: 'whole', requestId });
    const end = await whole.end('whole');
    expect(end.type).to.equal('completed');
    expect(bytesOf(all)).to.deep.equal(bytesOf(whole.about('whole')));
    expect(textOf(all)).to.match(/^Grüße an 世界/);
    expect(await chargesOf(requestId)).to.equal(1);
    expect({ ...all.findLast(isEnd), id: 'whole' }).to.deep.equal(end);
    whole.cut();
  });

  it('cancels on one instance what another one runs', async () => {
    const [first, second] = [await connect(0), await connect(1)];
    first.send({ type: 'start', id: 'a', request: asking('[[sandbox stallAfter=2]] one two three') });
    await first.told((message) => textOf([message]).includes('two'));
    const { requestId } = first.said[0]!;
    second.send({ type: 'resume', id: 'b', requestId });
    await second.told((message) => textOf([message]).includes('two'));
    second.send({ type: 'cancel', id: 'b' });
    expect((await first.end('a')).type).to.equal('cancelled');
    expect((await second.end('b')).type).to.equal('cancelled');
    const status = await api.get<{ status: string }>(`/api/llm/status/${String(requestId)}`);
    expect(status.status).to.equal('cancelled');
    first.cut();
    second.cut();
  });

  it('ends every socket when its session ends', async () => {
    const other = await signIn(servers[0]!, 'leaving@example.test');
    const client = await openClient(servers[1]!.url, `Bearer ${other}`);
    expect((await apiClient(servers[0]!.url, other).call('POST', '/api/auth/logout')).status).to.equal(200);
    expect((await client.closed).code).to.equal(1008);
  });

  it('loses nothing when an instance goes down in the middle of an answer', async () => {
    const client = await connect(1);
    client.send({ type: 'start', id: 'a', request: asking('[[sandbox delay=100 tokens=25]] one two three ') });
    await client.told(isChunk);
    const stopped = servers.pop()!.stop();
    expect((await client.closed).code).to.equal(1012);
    const { requestId } = client.said[0]!;
    const before = client.said.filter(isChunk);
    const back = await connect(0);
    back.send({ type: 'resume', id: 'a', requestId, after: before.at(-1)!['position'] });
    const end = await until('the end', () => back.said.find((message) => message.id === 'a' && isEnd(message)));
    expect(end.type, JSON.stringify(end)).to.equal('completed');
    back.send({ type: 'resume', id: 'whole', requestId });
    await back.end('whole');
    expect(bytesOf([...before, ...back.about('a')])).to.deep.equal(bytesOf(back.about('whole')));
    expect(end['tokensOutput']).to.equal(25);
    expect(await chargesOf(requestId)).to.equal(1);
    expect(await stopped).to.equal(0);
    back.cut();
  });
});

type Captured = Readonly<{ type: string; data: Readonly<{ reservationId: string }> }>;
