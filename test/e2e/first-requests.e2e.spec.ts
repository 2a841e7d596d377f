import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import OpenAI from 'openai';
import WebSocket from 'ws';
import { apiClient, framesOf, type ApiClient, type Frame } from '../support/api-client.ts';
import {
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

const typeOf = ({ data }: Frame): unknown => (data as { type?: unknown }).type;
const micro = (usd: number): number => Math.round(usd * 1e6);

describe('a new user', function () {
  this.timeout(120_000);
  const dataDir = temporaryDataDir();
  const device = randomUUID();
  let server: RunningServer;
  let token: string;
  let client: ApiClient;
  let userId: string;

  before(async () => {
    server = await startServer(dataDir.path);
    token = await signIn(server, 'grace.hopper@example.test', '--device', device);
    client = apiClient(server.url, token, { 'x-device-id': device, 'x-token-binding': device });
    userId = (await client.get<{ id: string }>('/api/auth/userinfo')).id;
  });

  after(async () => {
    expect(await server.stop()).to.equal(0);
    dataDir.remove();
  });

  it('is known by name and address, and has the signup credit', async () => {
    const user = await client.get('/api/auth/userinfo');
    expect(user).to.include({ email: 'grace.hopper@example.test', role: 'user' });
    expect(await client.get('/api/billing/credits/balance')).to.include({ freeCreditBalance: '2', balance: '0' });
  });

  it('registers a device and sees it at once', async () => {
    const body = { deviceName: 'My desk', platform: 'linux', appVersion: '1.0.0' };
    const response = await client.call('POST', '/api/devices/register', body, { 'x-client-type': 'desktop' });
    expect(response.status).to.equal(201);
    const devices = await client.get<readonly { deviceId: string; deviceName: string }[]>('/api/devices');
    expect(devices.map(({ deviceId, deviceName }) => [deviceId, deviceName])).to.deep.equal([[device, 'My desk']]);
  });

  it('streams a completion in the order that the desktop needs, and pays what it is told', async () => {
    const before = await client.get<{ freeCreditBalanceUsd: number }>('/api/billing/dashboard');
    const response = await client.completion('Good morning, moon', { stream: true });
    expect(response.headers.get('content-type')).to.contain('text/event-stream');
    const frames = framesOf(await response.text());
    expect(frames[0]?.event).to.equal('stream_started');
    expect(frames.at(-1)?.event).to.equal('stream_completed');
    const chunks = frames.slice(1, -1);
    expect(chunks.filter(({ event }) => event !== undefined)).to.deep.equal([]);
    const text = chunks
      .flatMap(({ data }) => (data as { choices: readonly { delta: { content?: string } }[] }).choices)
      .map(({ delta }) => delta.content ?? '')
      .join('');
    expect(text).to.contain('Good morning, moon');
    const { finalCost } = frames.at(-1)?.data as { finalCost: number };
    expect(finalCost).to.be.greaterThan(0);
    const after = await client.get<{ freeCreditBalanceUsd: number }>('/api/billing/dashboard');
    expect(micro(before.freeCreditBalanceUsd) - micro(after.freeCreditBalanceUsd)).to.equal(micro(finalCost));
  });

  it('sees the charge in history and usage', async () => {
    const history = await client.get<{ entries: readonly { model: string }[] }>('/api/billing/credits/unified-history');
    expect(history.entries[0]?.model).to.equal('sandbox/echo');
    const range = `start_date=2020-01-01T00:00:00Z&end_date=2099-01-01T00:00:00Z`;
    const usage = await client.get<{ summary: { totalRequests: number } }>(`/api/billing/usage-summary?${range}`);
    expect(usage.summary.totalRequests).to.equal(1);
  });

  it('streams and completes with the official SDK', async () => {
    const openai = new OpenAI({
      baseURL: `${server.url}/api/llm`,
      apiKey: token,
      defaultHeaders: { 'X-Device-ID': device, 'X-Token-Binding': device },
    });
    const messages = [{ role: 'user' as const, content: 'Say it again' }];
    const stream = await openai.chat.completions.create({ model: 'sandbox/echo', messages, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).to.contain('Say it again');
    const whole = await openai.chat.completions.create({ model: 'sandbox/echo', messages });
    expect(whole.choices[0]?.message.content).to.contain('Say it again');
  });

  it('finds every step in the event stream, over SSE and over WebSocket, and resumes after a position', async () => {
    const wanted = ['UserRegistered', 'CreditAccountOpened', 'SignedIn', 'DeviceRegistered', 'FundsReserved'];
    const charges = (frames: readonly Frame[]): number =>
      frames.filter((frame) => typeOf(frame) === 'ReservationCaptured').length;
    const frames = await client.events((seen) => charges(seen) === 3);
    expect(frames.map(typeOf)).to.include.members(wanted);
    expect(JSON.stringify(frames)).not.to.contain('grace.hopper@example.test');
    const ids = frames.flatMap(({ id }) => (id === undefined || id === '' ? [] : [BigInt(id)]));
    expect(ids).to.deep.equal([...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)));

    const middle = ids[2] ?? 0n;
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events?position=${middle}`, {
      headers: { authorization: `Bearer ${token}`, 'x-device-id': device, 'x-token-binding': device },
    });
    const positions: bigint[] = [];
    socket.on('message', (data: Buffer) => {
      const { position } = JSON.parse(data.toString('utf8')) as { position?: string };
      if (position !== undefined) positions.push(BigInt(position));
    });
    const rest = ids.filter((id) => id > middle);
    await until('the rest over WebSocket', () => (positions.length >= rest.length ? true : undefined));
    expect(positions).to.deep.equal(rest);
    socket.close();
  });

  it('is refused in the envelope, over WebSocket too', async () => {
    const none = await fetch(`${server.url}/api/auth/userinfo`);
    expect(none.status).to.equal(401);
    expect(await none.json()).to.include({ code: 401, error_type: 'authentication_error' });
    const status = await new Promise<number | undefined>((resolve) => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('error', () => undefined);
    });
    expect(status).to.equal(401);
  });

  it('has the same balance for finance, in the chain and in the read models', async () => {
    const replayed = await runTool(dataDir.path, 'finance', ['balance', '--user', userId, '--json']);
    expect(replayed.code, replayed.stderr).to.equal(0);
    const balance = JSON.parse(replayed.stdout) as { availableUsd: string; openHolds: number };
    const shown = await client.get<{ freeCreditBalance: string }>('/api/billing/credits/balance');
    expect([balance.availableUsd, balance.openHolds]).to.deep.equal([shown.freeCreditBalance, 0]);
    const audit = await runTool(dataDir.path, 'audit', ['verify', '--json']);
    expect(audit.code, audit.stdout).to.equal(0);
    const status = await runTool(dataDir.path, 'projections', ['status', '--json']);
    expect(status.code, status.stderr).to.equal(0);
  });

  it('goes on with what comes when it resumes at a position that this log has not reached', async () => {
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${token}`, 'x-device-id': device, 'x-token-binding': device };
    const response = await fetch(`${server.url}/ws/events?position=999999999`, { headers, signal: stop.signal });
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
    })().catch(() => undefined);
    await until('the stream to begin', () => (text.includes('heartbeat') ? true : undefined));
    await client.completion('news');
    await until('the charge to come', () => (text.includes('ReservationCaptured') ? true : undefined));
    stop.abort();
    await reading;
  });

  it('signs out: the token is dead, and open event streams end', async () => {
    const headers = { authorization: `Bearer ${token}`, 'x-device-id': device, 'x-token-binding': device };
    const stream = await fetch(`${server.url}/ws/events`, { headers, signal: AbortSignal.timeout(20_000) });
    expect((await client.call('POST', '/api/auth/logout')).status).to.equal(200);
    expect(await stream.text()).to.contain('heartbeat');
    expect((await client.call('GET', '/api/auth/userinfo')).status).to.equal(401);
  });

  it('leaves nothing personal and no prompt in the log', () => {
    for (const secret of ['grace.hopper@example.test', 'Good morning, moon', 'My desk', token]) {
      expect(server.log()).not.to.contain(secret);
    }
  });

  it('keeps a second server off its data directory', async () => {
    const error = await startServer(dataDir.path).then(
      () => undefined,
      (thrown: unknown) => (thrown as Error).message,
    );
    expect(error).to.contain('ended (2)').and.to.contain('in use');
  });
});
