import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { apiClient, framesOf, type ApiClient } from '../support/api-client.ts';
import {
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

type Json = Readonly<Record<string, unknown>>;
type Event = Readonly<{ type: string; data: Json }>;

const ONE_MINUTE_MS = 60_000;
/** How long the work of an instance that was killed is waited for. */
const LEASE = { HOLD_LEASE_SECONDS: '10' };

/** All content of a stream's chunks. */
const contentOf = (body: string): string =>
  framesOf(body)
    .map(({ event, data }) => {
      if (event !== undefined) return '';
      const { choices } = data as { choices: readonly { delta: { content?: string } }[] };
      return choices[0]?.delta.content ?? '';
    })
    .join('');

const lastOf = (body: string): Json => framesOf(body).at(-1)?.data as Json;

const withKey = (key: string): Readonly<Record<string, string>> => ({ 'Idempotency-Key': key });

const asked = (client: ApiClient, key: string, content: string, more: Json = {}): Promise<Response> =>
  client.call(
    'POST',
    '/api/llm/chat/completions',
    { model: 'sandbox/echo', messages: [{ role: 'user', content }], max_tokens: 300, stream: true, ...more },
    withKey(key),
  );

/** Reads a stream as far as it goes. */
const listening = (response: Response) => {
  if (response.body === null) throw new Error('a stream has a body');
  const { body } = response;
  const decoder = new TextDecoder();
  let text = '';
  const read = async (): Promise<Readonly<{ text: string; cut: boolean }>> => {
    try {
      for await (const chunk of body) text += decoder.decode(chunk as Uint8Array, { stream: true });
    } catch {
      return { text, cut: true };
    }
    return { text, cut: false };
  };
  return { text: () => text, end: read() };
};

describe('asking again, over two instances', function () {
  this.timeout(240_000);
  const dataDir = temporaryDataDir();
  const second = temporaryDataDir();
  let first: RunningServer;
  let other: RunningServer | undefined;
  let token: string;
  let userId: string;

  const on = (server: RunningServer | undefined): ApiClient => apiClient(server?.url ?? '', token);
  const startOther = async (): Promise<RunningServer> =>
    (other = await startServer(second.path, { JOIN: dataDir.path, ...LEASE }));

  /** The money events that a request has caused, once `enough` of them are there. */
  const eventsOf = async (requestId: unknown, enough: (events: readonly Event[]) => boolean) => {
    const own = (frames: readonly { data: unknown }[]): readonly Event[] =>
      frames
        .map(({ data }) => data as Partial<Event>)
        .filter((event): event is Event => event.data?.['reservationId'] === requestId);
    return own(await on(first).events((frames) => enough(own(frames))));
  };
  const types = (events: readonly Event[]): readonly string[] => events.map(({ type }) => type);
  const isCaptured = (events: readonly Event[]): boolean => types(events).includes('ReservationCaptured');

  before(async () => {
    first = await startServer(dataDir.path, LEASE);
    await startOther();
    token = await signIn(first, 'again@example.test');
    userId = (await on(first).get<{ id: string }>('/api/auth/userinfo')).id;
  });

  after(async () => {
    await other?.stop();
    await first.stop();
    dataDir.remove();
    second.remove();
  });

  it('a hundred at once with one key: one call, one charge, the whole answer for everybody', async () => {
    const key = randomUUID();
    const prompt = `[[sandbox latency=300 delay=20 tokens=40]] a storm of ${key}`;
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const response = await asked(on(n % 2 === 0 ? first : other), key, prompt);
        return {
          status: response.status,
          replayed: response.headers.get('idempotent-replayed'),
          body: await response.text(),
        };
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect(new Set(answers.map(({ body }) => contentOf(body))).size).to.equal(1);
    const ends = answers.map(({ body }) => lastOf(body));
    for (const end of ends) expect(end).to.deep.equal(ends[0]);
    expect(answers.filter(({ replayed }) => replayed === null)).to.have.length(1);
    expect(contentOf(answers[0]?.body ?? '')).to.contain('a storm of');

    const { requestId, finalCost } = ends[0] ?? {};
    const events = await eventsOf(requestId, isCaptured);
    expect(types(events)).to.deep.equal(['FundsReserved', 'ReservationCaptured']);
    const { stdout } = await runTool(dataDir.path, 'finance', ['balance', '--user', userId, '--json']);
    const { availableUsd, openHolds } = JSON.parse(stdout) as { availableUsd: string; openHolds: number };
    expect([2 - Number(finalCost), openHolds]).to.deep.equal([Number(availableUsd), 0]);
  });

  it('a stream that was cut goes on with the same bytes, at once or from a place', async () => {
    const key = randomUUID();
    const prompt = '[[sandbox delay=40 tokens=60]] one two three four five six';
    const cut = new AbortController();
    const response = await fetch(`${first.url}/api/llm/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...withKey(key) },
      body: JSON.stringify({
        model: 'sandbox/echo',
        messages: [{ role: 'user', content: prompt }],
        max_tokens: 300,
        stream: true,
      }),
      signal: cut.signal,
    });
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let heard = '';
    while (contentOf(heard.slice(0, heard.lastIndexOf('\n\n') + 2)).length < 10) {
      heard += decoder.decode((await reader?.read())?.value as Uint8Array | undefined, { stream: true });
    }
    cut.abort();
    const { requestId } = framesOf(heard)[0]?.data as { requestId: string };
    const known = framesOf(heard).filter(({ event }) => event === undefined).length;

    const rest = on(other).call('GET', `/api/llm/requests/${requestId}/stream?after=${known}`);
    const whole = await (await asked(on(other), key, prompt)).text();
    expect(whole.slice(0, heard.length)).to.equal(heard);
    expect(lastOf(whole)).to.include({ requestId });
    expect(contentOf(heard) + contentOf(await (await rest).text())).to.equal(contentOf(whole));
    const replay = await asked(on(first), key, prompt);
    expect(replay.headers.get('idempotent-replayed')).to.equal('true');
    expect(await replay.text()).to.equal(whole);
    const json = (await (await asked(on(other), key, prompt, { stream: false })).json()) as {
      requestId: string;
      choices: readonly { message: { content: string } }[];
    };
    expect([json.requestId, json.choices[0]?.message.content]).to.deep.equal([requestId, contentOf(whole)]);
  });

  it('the body may carry the key; another body, or a strange key, is refused', async () => {
    const requestId = randomUUID();
    const one = await on(first).completion('by its body', { request_id: requestId });
    const two = await on(other).completion('by its body', { request_id: requestId });
    expect([one.status, two.headers.get('idempotent-replayed')]).to.deep.equal([200, 'true']);
    expect(await two.text()).to.equal(await one.text());
    const changed = await on(other).completion('by another body', { request_id: requestId });
    expect(changed.status).to.equal(409);
    expect(((await changed.json()) as Json)['error_type']).to.equal('already_exists');
    expect((await asked(on(first), 'with space', 'x')).status).to.equal(400);
  });

  it('the same key of another user is another request', async () => {
    const key = randomUUID();
    const stranger = apiClient(other?.url ?? '', await signIn(first, 'stranger@example.test'));
    const mine = lastOf(await (await asked(on(first), key, 'to each their own')).text());
    const theirs = await asked(stranger, key, 'to each their own');
    expect(theirs.headers.get('idempotent-replayed')).to.equal(null);
    const { requestId } = lastOf(await theirs.text());
    expect(requestId).to.not.equal(mine['requestId']);
    expect((await stranger.call('GET', `/api/llm/requests/${String(mine['requestId'])}/stream`)).status).to.equal(403);
  });

  it('an owner that was killed in the middle: the retry elsewhere gets what there is, and one charge', async () => {
    const key = randomUUID();
    const prompt = '[[sandbox delay=100 tokens=300]] never to be finished';
    const doomed = listening(await asked(on(other), key, prompt));
    await until('its first frame', () => (doomed.text().includes('\n\n') ? true : undefined));
    const { requestId } = framesOf(doomed.text())[0]?.data as { requestId: string };
    // Its first checkpoint is what proves that it has cost anything.
    await eventsOf(requestId, (events) => types(events).includes('ReservationExtended'));
    await other?.kill();
    const { text: before } = await doomed.end;

    const retry = await asked(on(first), key, prompt);
    const { text, cut } = await listening(retry).end;
    expect([retry.status, cut]).to.deep.equal([200, true]);
    expect(contentOf(text)).to.not.equal('');
    expect(contentOf(before).startsWith(contentOf(text)) || contentOf(text).startsWith(contentOf(before))).to.equal(
      true,
    );
    const events = await eventsOf(requestId, isCaptured);
    expect(types(events).filter((type) => type === 'ReservationCaptured')).to.have.length(1);

    const again = await asked(on(first), key, prompt, { stream: false });
    expect(again.status).to.equal(502);
    expect(await again.text()).to.contain('USD were charged');
    await startOther();
  }).timeout(4 * ONE_MINUTE_MS);

  it('an owner that was killed before anything was proven: the retry elsewhere begins anew', async () => {
    const key = randomUUID();
    const prompt = '[[sandbox latency=5000]] never heard of';
    const doomed = asked(on(other), key, prompt, { stream: false }).catch(() => undefined);
    const held = (): Promise<true | undefined> =>
      runTool(dataDir.path, 'finance', ['balance', '--user', userId, '--json']).then(({ stdout }) =>
        (JSON.parse(stdout) as { openHolds: number }).openHolds > 0 ? true : undefined,
      );
    await until('the money to be held', held);
    await other?.kill();
    await doomed;
    const retry = await asked(on(first), key, prompt, { stream: false });
    expect(retry.status).to.equal(200);
    expect(await retry.text()).to.contain('never heard of');
    await startOther();
  }).timeout(4 * ONE_MINUTE_MS);

  it('an answer outlives the restart of every instance', async () => {
    const key = randomUUID();
    const whole = await (await asked(on(first), key, 'kept over night')).text();
    await other?.stop();
    other = undefined;
    await first.stop();
    first = await startServer(dataDir.path);
    token = await signIn(first, 'again@example.test');
    expect(await (await asked(on(first), key, 'kept over night')).text()).to.equal(whole);
  });
});
