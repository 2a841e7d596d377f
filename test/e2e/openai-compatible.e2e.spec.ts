import { expect } from 'chai';
import OpenAI from 'openai';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import { signIn, startServer, temporaryDataDir, until, type RunningServer } from '../support/running-server.ts';
import { speakingUpstream, type SpeakingUpstream } from '../v1/speaking-upstream.ts';
import { voices } from '../v1/voices.ts';

const MICRO = 1_000_000;

describe('a tool that speaks OpenAI’s format', function () {
  this.timeout(120_000);
  const dataDir = temporaryDataDir();
  const voice = voices['xai']!;
  let provider: SpeakingUpstream;
  let server: RunningServer;
  let person: ApiClient;
  let key: Readonly<{ id: string; key: string }>;
  let tool: OpenAI;

  before(async () => {
    provider = await speakingUpstream();
    server = await startServer(dataDir.path, { ...voice.env, [voice.address]: provider.url });
    person = apiClient(server.url, await signIn(server, 'tools@example.test'));
    key = (await (await person.call('POST', '/api/api-keys', { name: 'editor' })).json()) as typeof key;
    tool = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key.key });
  });

  after(async () => {
    expect(await server.stop()).to.equal(0);
    await provider.stop();
    dataDir.remove();
  });

  const balance = async (): Promise<number> => {
    const { freeCreditBalance } = await person.get<{ freeCreditBalance: string }>('/api/billing/credits/balance');
    return Math.round(Number(freeCreditBalance) * MICRO);
  };

  it('sees the models of the providers that this server can reach', async () => {
    const ids = (await tool.models.list()).data.map(({ id }) => id);
    expect(ids).to.include.members(['sandbox/echo', voice.model]);
    expect(ids).to.not.include('anthropic/claude-sonnet-4-5-20250929');
    expect((await tool.models.retrieve(voice.model)).owned_by).to.equal('xai');
  });

  it('streams, and its owner pays', async () => {
    const before = await balance();
    provider.answer({ frames: voice.frames({ texts: ['Good ', 'morning'] }) });
    const final = await tool.chat.completions
      .stream({ model: voice.model, messages: [{ role: 'user', content: 'Hello' }] })
      .finalChatCompletion();
    expect(final.choices[0]!.message.content).to.equal('Good morning');
    const history = await person.get<{ entries: readonly { model: string; price: number }[] }>(
      '/api/billing/credits/unified-history',
    );
    expect(history.entries[0]!.model).to.equal(voice.model);
    expect(await balance()).to.be.lessThan(before);
  });

  it('leaves in the middle: the provider is left, and nothing stays on hold', async () => {
    const before = await balance();
    provider.answer({ frames: voice.frames({ texts: ['One ', 'two ', 'three'] }), stallAfter: 2 });
    const stream = await tool.chat.completions.create({
      model: voice.model,
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (text === 'One two ') stream.controller.abort();
    }
    await until('the end at the provider', () => (provider.left() === 1 ? true : undefined));
    await until('the charge', async () => ((await balance()) < before ? true : undefined));
    const { keys } = await person.get<{ keys: readonly { id: string; requests: number }[] }>('/api/api-keys');
    expect(keys.find(({ id }) => id === key.id)!.requests).to.equal(2);
  });

  it('works with an app token too, and not with a key that was revoked', async () => {
    const token = await signIn(server, 'tools@example.test');
    const answer = await new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token }).chat.completions.create({
      model: 'sandbox/echo',
      messages: [{ role: 'user', content: 'one two' }],
    });
    expect(answer.choices[0]!.message.content).to.equal('one two');
    expect((await person.call('DELETE', `/api/api-keys/${key.id}`)).status).to.equal(204);
    const failure = await tool.models.list().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(OpenAI.AuthenticationError);
  });
});
