import { expect } from 'chai';
import { apiClient, framesOf, type ApiClient, type Frame } from '../support/api-client.ts';
import { signIn, startServer, temporaryDataDir, until, type RunningServer } from '../support/running-server.ts';

const ECHO = encodeURIComponent('sandbox/echo');
const PRICE = `/api/admin/catalogue/models/${ECHO}/price`;

type Charge = Readonly<{
  work: { priceVersion: string };
  metered: { lines: readonly { class: string; tokens: number; ratePico: string; costPico: string }[] };
}>;

const chargesIn = (frames: readonly Frame[]): readonly Charge[] =>
  frames
    .map(({ data }) => data as { type?: string; data?: Charge })
    .filter(({ type }) => type === 'ReservationCaptured')
    .map(({ data }) => data!);

const ratesOf = ({ metered }: Charge): Readonly<Record<string, string>> =>
  Object.fromEntries(metered.lines.map((line) => [line.class, line.ratePico]));

describe('a catalogue that is changed while two instances run', function () {
  this.timeout(180_000);
  const dataDir = temporaryDataDir();
  const second = temporaryDataDir();
  let servers: readonly [RunningServer, RunningServer];
  let user: ApiClient;
  let admin: ApiClient;

  before(async () => {
    const first = await startServer(dataDir.path);
    servers = [first, await startServer(second.path, { JOIN: dataDir.path })];
    user = apiClient(first.url, await signIn(first, 'reader@example.test'));
    admin = apiClient(servers[1].url, await signIn(first, 'chief@example.test', '--admin'));
  });

  after(async () => {
    expect(await servers[1].stop()).to.equal(0);
    expect(await servers[0].stop()).to.equal(0);
    dataDir.remove();
    second.remove();
  });

  const priceHere = async (): Promise<unknown> =>
    (await user.get<{ priceInput: string }>(`/api/models/${ECHO}`)).priceInput;

  const completed = async (content: string): Promise<void> => {
    const response = await user.completion(content, { stream: true });
    expect(framesOf(await response.text()).at(-1)?.event).to.equal('stream_completed');
  };

  it('charges running requests at the price of their admission, and new ones at the new price', async () => {
    const stream = await user.completion('[[sandbox delay=100 tokens=50]] a b c', { stream: true });
    expect(stream.status).to.equal(200);
    let ended = false;
    const streamed = stream.text().finally(() => {
      ended = true;
    });
    const changed = await admin.call('PUT', `${PRICE}?reason=test`, { input: '5', output: '7' });
    expect(changed.status).to.equal(200);
    await until('the other instance to know', async () => ((await priceHere()) === '5' ? true : undefined));
    expect(ended, 'the stream still runs when the change is known').to.equal(false);
    expect(framesOf(await streamed).at(-1)?.event).to.equal('stream_completed');
    await completed('after the change');
    expect((await admin.call('DELETE', PRICE)).status).to.equal(200);
    await until('the old price to be back', async () => ((await priceHere()) === '0.5' ? true : undefined));
    await completed('after the change was taken back');

    const charges = chargesIn(await user.events((frames) => chargesIn(frames).length === 3));
    expect(charges.map(ratesOf)).to.deep.equal([
      { input: '500000', output: '1500000' },
      { input: '5000000', output: '7000000' },
      { input: '500000', output: '1500000' },
    ]);
    const versions = charges.map(({ work }) => work.priceVersion);
    expect(versions[0]).to.equal(versions[2]).and.not.to.equal(versions[1]);

    type Prices = { prices: readonly { priceVersion: string; rates: Record<string, string>; event: string }[] };
    const { prices } = await until('the history to be written', async () => {
      const history = await admin.get<Prices>(`/api/admin/catalogue/models/${ECHO}/prices`);
      return history.prices.length === 3 ? history : undefined;
    });
    expect(prices.map(({ event }) => event)).to.deep.equal([
      'ModelPriceReverted',
      'ModelPriceChanged',
      'PriceBookPublished',
    ]);
    for (const charge of charges) {
      const { rates } = prices.find(({ priceVersion }) => priceVersion === charge.work.priceVersion)!;
      for (const { class: name, tokens, costPico } of charge.metered.lines) {
        expect(BigInt(tokens) * BigInt(rates[name]!)).to.equal(BigInt(costPico));
      }
    }
  });

  it('hands changed prompts and settings to clients of both, byte for byte the same', async () => {
    const change = async (path: string, body: object): Promise<void> => {
      expect((await admin.call('PUT', path, body)).status).to.equal(200);
    };
    await change('/api/admin/system-prompts/path_finder', { systemPrompt: 'Find the files.' });
    await change('/api/admin/catalogue/settings', { maxConcurrentJobs: 3 });
    for (const path of ['/api/system-prompts', '/api/config/runtime', '/api/models']) {
      const there = await (await admin.call('GET', path)).text();
      await until(`the same ${path}`, async () =>
        (await (await user.call('GET', path)).text()) === there ? true : undefined,
      );
    }
    expect(await user.get('/api/system-prompts/path_finder')).to.include({ systemPrompt: 'Find the files.' });
    expect(await user.get('/api/config/runtime')).to.include({ maxConcurrentJobs: 3 });
  });

  it('is refused to everybody else', async () => {
    expect((await user.call('PUT', PRICE, { input: '0', output: '0' })).status).to.equal(403);
  });

  it('keeps its changes when an instance starts anew', async () => {
    expect(await servers[1].stop()).to.equal(0);
    servers = [servers[0], await startServer(second.path, { JOIN: dataDir.path })];
    const again = apiClient(servers[1].url, await signIn(servers[0], 'reader@example.test'));
    expect(await again.get('/api/config/runtime')).to.include({ maxConcurrentJobs: 3 });
  });
});
