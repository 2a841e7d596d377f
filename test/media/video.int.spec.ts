import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { WrittenPart } from '../http/form/written-form.ts';
import { eventually } from '../support/eventually.ts';
import { noise } from './given-files.ts';
import { givenMedia, VIDEO, type GivenMedia } from './given-media.ts';
import { jsonReply } from './local-provider.ts';

type Body = Readonly<Record<string, unknown>>;

const MIB = 1024 * 1024;

const seen = (text: string, over: object = {}): object => ({
  candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: {
    promptTokenCount: 9_000,
    cachedContentTokenCount: 1_000,
    promptTokensDetails: [
      { modality: 'VIDEO', tokenCount: 8_000 },
      { modality: 'AUDIO', tokenCount: 960 },
      { modality: 'TEXT', tokenCount: 40 },
    ],
    candidatesTokenCount: 350,
    thoughtsTokenCount: 50,
  },
  responseId: 'r1',
  ...over,
});

const question = (
  texts: Readonly<Record<string, string>> = {},
  file: Partial<WrittenPart> | null = {},
): readonly WrittenPart[] => [
  ...Object.entries({ prompt: 'What is to be seen?', durationMs: '30000', ...texts }).map(([name, value]) => ({
    name,
    value,
  })),
  ...(file === null ? [] : [{ name: 'video', value: noise(5_000), fileName: 'film.mp4', type: 'video/mp4', ...file }]),
];

describe('POST /api/llm/video/analyze', () => {
  let given: GivenMedia;
  afterEach(() => given.close());

  const ask = async (...args: Parameters<typeof question>): Promise<Readonly<{ status: number; body: Body }>> => {
    const response = await given.post(VIDEO, question(...args));
    return { status: response.status, body: (await response.json()) as Body };
  };
  const sent = (place = 0): Body => JSON.parse(given.google.received.at(place)!.body.toString()) as Body;

  it('answers what is to be seen and what it used, charged for that', async () => {
    given = await givenMedia();
    given.google.answer(jsonReply(seen('A cat.')));
    const { status, body } = await ask({ systemPrompt: ' ', requestId: 'job-1', somethingElse: 'x' });
    expect(status).to.equal(200);
    expect(body).to.deep.include({
      analysis: 'A cat.',
      usage: { promptTokens: 9_000, completionTokens: 400, totalTokens: 9_400, cachedTokens: 1_000 },
    });
    expect(given.google.received[0]!.path).to.equal('/v1beta/models/gemini-2.5-pro:generateContent');
    expect(sent()).to.not.have.property('systemInstruction');
    expect(sent()['generationConfig']).to.deep.include({ temperature: 0.4 });
    const [{ parts }] = sent()['contents'] as [{ parts: [Body, Body] }];
    expect(parts[0]['videoMetadata']).to.deep.equal({ fps: 1 });
    const { work, metered } = given.last('ReservationCaptured')!.data;
    expect(work).to.include({
      kind: 'video',
      taskType: 'video_analysis',
      modelId: 'google/gemini-2.5-pro',
      streamed: false,
    });
    expect(metered.usage).to.include({
      inputAudio: 960,
      inputCachedRead: 1_000,
      outputVisible: 350,
      outputReasoning: 50,
    });
    expect(metered.lines.map(({ class: name }) => name)).to.include('input_audio');
  });

  it('takes what the form says of model, pictures, temperature and system', async () => {
    given = await givenMedia();
    given.google.answer(jsonReply(seen('x')));
    const texts = {
      model: 'google/gemini-3-flash-preview',
      framerate: '5',
      temperature: '1.5',
      systemPrompt: 'Be short.',
    };
    expect((await ask(texts, { type: 'video/webm; codecs=vp9' })).status).to.equal(200);
    expect(given.google.received[0]!.path).to.include('gemini-3-flash-preview');
    expect(sent()).to.deep.include({ systemInstruction: { parts: [{ text: 'Be short.' }] } });
    expect(sent()['generationConfig']).to.deep.include({ temperature: 1.5 });
    const [{ parts }] = sent()['contents'] as [{ parts: [Body, Body] }];
    expect(parts[0]['videoMetadata']).to.deep.equal({ fps: 5 });
    expect(parts[0]['inlineData']).to.deep.include({ mimeType: 'video/webm' });
  });

  it('takes every file for MP4 that does not say what kind of film it is', async () => {
    given = await givenMedia();
    given.google.answer(jsonReply(seen('x')));
    await ask({}, { type: 'application/octet-stream', fileName: 'blob' });
    const [{ parts }] = sent()['contents'] as [{ parts: [Body, Body] }];
    expect(parts[0]['inlineData']).to.deep.include({ mimeType: 'video/mp4' });
  });

  it('holds the estimate and a margin of 1.20 USD', async () => {
    given = await givenMedia();
    given.google.answer(jsonReply(seen('x')));
    await ask({ durationMs: '29999.6' });
    const { estimate, margin } = given.last('FundsReserved')!.data;
    expect(estimate).to.equal(Math.round(30 * 300 * 1.25).toString());
    expect(margin).to.equal('1200000');
  });

  it('hands a large film over first and has it removed', async () => {
    given = await givenMedia();
    const film = noise(20 * MIB);
    given.google.answer(({ path, method, headers }) => {
      if (path === '/upload/v1beta/files')
        return jsonReply({}, 200, { 'x-goog-upload-url': `${given.google.url}/upload/here` });
      if (headers['x-goog-upload-offset'] === '0' || method === 'GET') {
        return jsonReply({ file: { name: 'files/f1', uri: 'https://files/f1', state: 'ACTIVE' } });
      }
      return jsonReply(method === 'DELETE' ? {} : seen('A long film.'));
    });
    expect((await ask({}, { value: film })).body['analysis']).to.equal('A long film.');
    expect(given.google.received[1]!.body.equals(film)).to.equal(true);
    await eventually('the removal', () => given.google.received.find(({ method }) => method === 'DELETE'));
    expect(readdirSync(given.spoolDir)).to.deep.equal([]);
  });

  describe('refused', () => {
    const cases: readonly (readonly [string, Parameters<typeof question>, number, string])[] = [
      ['without a film', [{}, null], 400, 'invalid_argument'],
      ['with an empty film', [{}, { value: '' }], 400, 'invalid_argument'],
      ['without a prompt', [{ prompt: ' ' }], 400, 'invalid_argument'],
      ['without a length', [{ durationMs: '' }], 400, 'invalid_argument'],
      ['with a length of nothing', [{ durationMs: '0.4' }], 400, 'invalid_argument'],
      ['with a length that is none', [{ durationMs: 'x' }], 400, 'invalid_argument'],
      ['with a temperature that is none', [{ temperature: 'x' }], 400, 'invalid_argument'],
      ['with half a picture a second', [{ framerate: '0.5' }], 400, 'invalid_argument'],
      ['with fewer pictures than none', [{ framerate: '-1' }], 400, 'invalid_argument'],
      ['with an unknown model', [{ model: 'google/none' }], 400, 'bad_request'],
      ['with a model of another provider', [{ model: 'openai/gpt-5' }], 400, 'bad_request'],
      ['with a model without its provider', [{ model: 'gemini-2.5-pro' }], 400, 'bad_request'],
      ['with too many parts in the name', [{ model: 'google/gemini/2.5-pro' }], 400, 'bad_request'],
      ['with a model that only listens', [{ model: 'google/gemini-3-flash-preview-transcribe' }], 400, 'bad_request'],
      ['with a film that is too large', [{}, { value: Buffer.alloc(30 * MIB + 1) }], 413, 'payload_too_large'],
    ];
    for (const [what, args, status, type] of cases) {
      it(`${what}: ${status}`, async () => {
        given = await givenMedia();
        const answer = await ask(...args);
        expect([answer.status, answer.body['error_type']]).to.deep.equal([status, type]);
        expect(given.google.received).to.have.length(0);
        expect(given.types()).to.deep.equal([]);
      });
    }

    it('for want of credit', async () => {
      given = await givenMedia({ credit: 1_000_000n });
      const { status, body } = await ask();
      expect([status, body['error_type']]).to.deep.equal([402, 'credit_insufficient']);
      expect(given.google.received).to.have.length(0);
    });

    it('as a failure of the provider, free of charge', async () => {
      given = await givenMedia();
      given.google.answer(jsonReply({ error: { code: 400, message: 'x', status: 'INVALID_ARGUMENT' } }, 400));
      expect((await ask()).status).to.equal(400);
      given.google.answer(jsonReply(seen('', { candidates: [], promptFeedback: { blockReason: 'SAFETY' } })));
      expect((await ask()).status).to.equal(502);
      expect(given.types()).to.deep.equal([
        'FundsReserved',
        'ReservationReleased',
        'FundsReserved',
        'ReservationReleased',
      ]);
    });

    it('when this server has no key for Google', async () => {
      given = await givenMedia({ without: ['google'] });
      expect((await ask()).status).to.equal(503);
    });
  });
});
