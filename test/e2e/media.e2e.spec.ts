import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { FORM_TYPE, writtenForm, type WrittenPart } from '../http/form/written-form.ts';
import { noise } from '../media/given-files.ts';
import { speech } from '../media/given-media.ts';
import { eventsReply, jsonReply, localProvider, type LocalProvider } from '../media/local-provider.ts';
import { openFilesIn } from '../media/open-files.ts';
import { eventually } from '../support/eventually.ts';
import { signIn, startServer, temporaryDataDir, type RunningServer } from '../support/running-server.ts';

type Body = Readonly<Record<string, unknown>>;

const HEARD = {
  text: 'Hallo aus Kraków.',
  usage: {
    type: 'tokens',
    input_tokens: 30,
    input_token_details: { text_tokens: 0, audio_tokens: 30 },
    output_tokens: 6,
  },
};

const SEEN = {
  candidates: [{ content: { parts: [{ text: 'A cat.' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 3_000, candidatesTokenCount: 4 },
};

describe('speech and film on the whole server', function () {
  this.timeout(120_000);
  const data = temporaryDataDir();
  const uploads = join(data.path, 'uploads');
  let openai: LocalProvider;
  let google: LocalProvider;
  let server: RunningServer;
  let token: string;

  before(async () => {
    mkdirSync(uploads, { recursive: true });
    [openai, google] = await Promise.all([localProvider(), localProvider()]);
    server = await startServer(join(data.path, 'data'), {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: openai.url,
      GOOGLE_API_KEY: 'g-test',
      GOOGLE_BASE_URL: google.url,
      UPLOAD_DIR: uploads,
    });
    token = await signIn(server, 'ada@example.test');
  });
  after(async () => {
    await server.stop();
    await Promise.all([openai.stop(), google.stop()]);
    data.remove();
  });
  afterEach(async () => {
    await eventually('all files closed', () => (openFilesIn(uploads, server.pid) === 0 ? true : undefined));
    expect(readdirSync(uploads)).to.deep.equal([]);
  });

  const post = (path: string, parts: readonly WrittenPart[], headers: Record<string, string> = {}): Promise<Response> =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...FORM_TYPE, ...headers },
      body: writtenForm(parts),
    });
  const charges = async (): Promise<readonly Body[]> => {
    const response = await fetch(`${server.url}/api/billing/credits/unified-history?limit=50`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return ((await response.json()) as { entries: readonly Body[] }).entries;
  };

  it('turns speech into text without any key of a provider', async () => {
    const response = await post('/api/audio/transcriptions', speech({ model: 'sandbox/transcribe' }));
    const body = (await response.json()) as Body;
    expect(response.status, JSON.stringify(body)).to.equal(200);
    expect(body['text']).to.match(/^A recording of 6444 bytes says: /);
    const streamed = await post('/api/audio/transcriptions/stream', speech({ model: 'sandbox/transcribe' }));
    expect(await streamed.text()).to.match(/data: \{"text":"","done":true\}\n\n$/);
  });

  it('charges a repeated request with the same key once', async () => {
    openai.answer(jsonReply(HEARD));
    const headers = { 'idempotency-key': 'voice-1' };
    const answers = await Promise.all([1, 2, 3].map(() => post('/api/audio/transcriptions', speech(), headers)));
    const again = await post('/api/audio/transcriptions', speech(), headers);
    const bodies = (await Promise.all([...answers, again].map((response) => response.json()))) as Body[];
    expect(bodies.map(({ text }) => text)).to.deep.equal(Array(4).fill('Hallo aus Kraków.'));
    expect(new Set(bodies.map(({ requestId }) => requestId)).size).to.equal(1);
    expect(openai.received).to.have.length(1);
    const other = await post('/api/audio/transcriptions', speech({ language: 'de' }), headers);
    expect(other.status).to.equal(409);
  });

  it('streams what is heard, and shows what it cost', async () => {
    openai.answer(
      eventsReply([
        { type: 'transcript.text.delta', delta: 'Hallo aus ' },
        { type: 'transcript.text.delta', delta: 'Kraków.' },
        { type: 'transcript.text.done', ...HEARD },
      ]),
    );
    const before = await charges();
    const response = await post('/api/audio/transcriptions/stream', speech());
    const sent = await response.text();
    expect(sent)
      .to.match(/^(?:data: [ -~]+\n\n)+$/)
      .and.include('Krak\\u00f3w.');
    expect(sent).to.match(/data: \{"text":"","done":true\}\n\n$/);
    const after = await charges();
    expect(after).to.have.length(before.length + 1);
    expect(after[0]).to.include({
      model: 'openai/gpt-4o-transcribe',
      inputTokens: 30,
      outputTokens: 6,
      price: -0.00024,
    });
  });

  it('looks at a film', async () => {
    google.answer(jsonReply(SEEN));
    const response = await post('/api/llm/video/analyze', [
      { name: 'video', value: noise(10_000), fileName: 'film.mp4', type: 'video/mp4' },
      { name: 'prompt', value: 'What is to be seen?' },
      { name: 'durationMs', value: '10000' },
    ]);
    const body = (await response.json()) as Body;
    expect(response.status, JSON.stringify(body)).to.equal(200);
    expect(body).to.deep.include({
      analysis: 'A cat.',
      usage: { promptTokens: 3_000, completionTokens: 4, totalTokens: 3_004, cachedTokens: 0 },
    });
  });

  it('gives a film up when its sender goes away in the middle', async () => {
    const leaving = new AbortController();
    const half = writtenForm([{ name: 'video', value: noise(500_000), fileName: 'film.mp4' }]).subarray(0, 300_000);
    const sending = fetch(`${server.url}/api/llm/video/analyze`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, ...FORM_TYPE },
      body: new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(half)) }),
      duplex: 'half',
      signal: leaving.signal,
    }).catch((error: unknown) => error);
    await eventually('the file', () => (openFilesIn(uploads, server.pid) === 1 ? true : undefined));
    leaving.abort();
    expect(await sending).to.have.property('name', 'AbortError');
  });

  it('does not let a stranger in, whatever is sent', async () => {
    const response = await fetch(`${server.url}/api/audio/transcriptions`, {
      method: 'POST',
      headers: FORM_TYPE,
      body: writtenForm(speech()),
    });
    expect(response.status).to.equal(401);
  });
});
