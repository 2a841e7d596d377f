import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { Replay } from '../providers/replaying-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { givenMedia, speech, TRANSCRIPTIONS, VIDEO, type GivenMedia } from './given-media.ts';
import { eventsReply, jsonReply } from './local-provider.ts';
import { openFilesIn } from './open-files.ts';

const REPLAYED = 'idempotent-replayed';
const headers = { 'idempotency-key': 'speech-1' };

describe('sound that is sent again with its key', () => {
  let given: GivenMedia;
  beforeEach(async () => {
    given = await givenMedia();
    given.openai.answer(jsonReply({ text: 'one two three' }));
  });
  afterEach(() => given.close());

  it('is answered from the first time, which is told and charged once', async () => {
    const first = await given.post(TRANSCRIPTIONS, speech(), { headers });
    const again = await given.post(TRANSCRIPTIONS, speech(), { headers });
    expect([first.status, first.headers.get(REPLAYED)]).to.deep.equal([200, null]);
    expect([again.status, again.headers.get(REPLAYED)]).to.deep.equal([200, 'true']);
    expect(await again.json()).to.deep.equal(await first.json());
    expect(given.openai.received).to.have.length(1);
    expect(given.types().filter((type) => type === 'ReservationCaptured')).to.have.length(1);
  });

  it('tells so in front of a stream too', async () => {
    const path = `${TRANSCRIPTIONS}/stream`;
    const first = await given.post(path, speech({ model: 'openai/gpt-4o-transcribe' }), { headers });
    const told = await first.text();
    const again = await given.post(path, speech({ model: 'openai/gpt-4o-transcribe' }), { headers });
    expect([first.headers.get(REPLAYED), again.headers.get(REPLAYED)]).to.deep.equal([null, 'true']);
    expect(await again.text()).to.equal(told);
  });

  it('is not lost to a provider that is asked again, when its client has left', async () => {
    await given.close();
    given = await givenMedia({ headWaitMs: 1 });
    const busy = Promise.withResolvers<Replay>();
    const pieces = eventsReply([{ type: 'transcript.text.delta', delta: 'one two' }, { type: 'transcript.text.done' }]);
    given.openai.answer(() => (given.openai.received.length === 1 ? busy.promise : pieces));
    const path = `${TRANSCRIPTIONS}/stream`;
    const leaving = new AbortController();
    const left = given.post(path, speech(), { headers, signal: leaving.signal }).catch(() => undefined);
    await eventually('the first call', () => given.openai.received[0]);
    leaving.abort();
    await left;
    const again = given.post(path, speech(), { headers });
    await eventually('the second file', () => (openFilesIn(given.spoolDir) === 2 ? true : undefined));
    busy.resolve(jsonReply({ error: { message: 'busy' } }, 429, { 'retry-after': '1' }));
    expect(await (await again).text()).to.contain('one two');
    const bodies = given.openai.received.map(({ body }) => body.length);
    expect(bodies).to.deep.equal([bodies[0], bodies[0]]);
    expect(given.types().filter((type) => type === 'ReservationCaptured')).to.have.length(1);
    await eventually('both files are closed', () => (openFilesIn(given.spoolDir) === 0 ? true : undefined));
    expect(readdirSync(given.spoolDir)).to.deep.equal([]);
  });

  it('is another request at another endpoint, and with another file', async () => {
    await given.post(TRANSCRIPTIONS, speech(), { headers });
    const streamed = await given.post(`${TRANSCRIPTIONS}/stream`, speech(), { headers });
    const other = await given.post(TRANSCRIPTIONS, speech({}, { value: Buffer.alloc(9_000, 'RIFF') }), { headers });
    const film = await given.post(VIDEO, speech({}, { name: 'video' }), { headers });
    expect([streamed.status, other.status, film.status]).to.deep.equal([409, 409, 409]);
  });
});
