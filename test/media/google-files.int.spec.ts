import { expect } from 'chai';
import { googleTranscription } from '../../infra/providers/google/google-transcription.ts';
import { googleVideo } from '../../infra/providers/google/google-video.ts';
import { completionCollector } from '../../src/kernel/completion-collector.ts';
import type { TranscriptionRequest, TranscriptionUpstream, VideoUpstream } from '../../src/kernel/media-upstream.ts';
import type { Completion, UpstreamEvent } from '../../src/kernel/upstream.ts';
import { byteByByte, randomly, whole, type Replay } from '../providers/replaying-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { fileOf, noise } from './given-files.ts';
import { eventsReply, jsonReply, localProvider, type LocalProvider, type Received } from './local-provider.ts';

const MIB = 1024 * 1024;

const said = (text: string, over: object = {}): object => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: {
    promptTokenCount: 300,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 40 },
      { modality: 'AUDIO', tokenCount: 260 },
    ],
    candidatesTokenCount: 7,
    thoughtsTokenCount: 2,
  },
  modelVersion: 'gemini-3-flash-preview',
  responseId: 'resp-1',
  ...over,
});

const wholeOf = async (answer: Promise<AsyncIterable<readonly UpstreamEvent[]>>): Promise<Completion> => {
  const collected = completionCollector();
  for await (const batch of await answer) batch.forEach(collected.take);
  return collected.whole();
};

const failureOf = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => undefined,
    (error: unknown) => error,
  );

const request: Omit<TranscriptionRequest, 'file'> = {
  requestId: '5b8f3a0e-0000-4000-8000-000000000001',
  model: 'gemini-3-flash-preview',
  seconds: 3,
  stream: false,
};

const watching = {
  requestId: request.requestId,
  model: 'gemini-2.5-pro',
  prompt: 'What is to be seen?',
  temperature: 0.4,
  framesPerSecond: 2,
};

describe("files for Google's models", () => {
  let server: LocalProvider;
  let listening: TranscriptionUpstream;
  let looking: VideoUpstream;
  const { signal } = new AbortController();

  beforeEach(async () => {
    server = await localProvider();
    const options = { baseUrl: server.url, clock: () => new Date(0), pollMs: 1 };
    listening = googleTranscription({ ...options, apiKeys: ['a', 'b'] });
    looking = googleVideo({ ...options, apiKeys: ['a'] });
  });
  afterEach(async () => {
    await Promise.all([listening.close(), looking.close()]);
    await server.stop();
  });

  const calls = (): readonly string[] => server.received.map(({ method, path }) => `${method} ${path}`);
  const bodyOf = ({ body }: Received): Record<string, unknown> =>
    JSON.parse(body.toString()) as Record<string, unknown>;

  describe('that are small', () => {
    it('go along as base64, whatever their length and however they are read', async () => {
      server.answer(jsonReply(said('x')));
      for (const length of [0, 1, 2, 3, 4, 5, 1000, 65_537]) {
        for (const piece of [1, 2, 3, 7, 4096]) {
          if (length / piece > 2_000) continue;
          const bytes = noise(length);
          await wholeOf(listening.transcribe({ ...request, file: fileOf(bytes, {}, piece) }, { signal }));
          const sent = server.received.at(-1)!;
          expect(sent.headers['content-length']).to.equal(sent.body.length.toString());
          const { contents } = bodyOf(sent) as { contents: { parts: { inlineData?: { data: string } }[] }[] };
          expect(contents[0]!.parts[1]!.inlineData!.data).to.equal(bytes.toString('base64'));
        }
      }
    });

    it('are listened to with a word of what to do', async () => {
      server.answer(jsonReply(said('Hallo, Welt.')));
      const file = fileOf(noise(10), { mediaType: 'audio/mp4' });
      const hints = { language: 'de', prompt: 'Kraków "PlanToCode"', temperature: 0.2 };
      const answer = await wholeOf(listening.transcribe({ ...request, ...hints, file }, { signal }));
      expect(answer).to.deep.include({ text: 'Hallo, Welt.', finish: 'stop', upstreamId: 'resp-1' });
      expect(answer.usage).to.deep.include({
        inputUncached: 40,
        inputAudio: 260,
        outputVisible: 7,
        outputReasoning: 2,
      });
      const [sent] = server.received;
      expect(calls()).to.deep.equal(['POST /v1beta/models/gemini-3-flash-preview:generateContent']);
      expect(['a', 'b']).to.include(sent!.headers['x-goog-api-key']);
      const body = bodyOf(sent!);
      expect(body['generationConfig']).to.deep.equal({
        temperature: 0.2,
        maxOutputTokens: 8192,
        thinkingConfig: { thinkingLevel: 'minimal' },
      });
      const [{ parts }] = body['contents'] as [{ parts: [{ text: string }, { inlineData: object }] }];
      expect(parts[0].text).to.include('"de"').and.include(JSON.stringify(hints.prompt));
      expect(parts[1].inlineData).to.deep.include({ mimeType: 'audio/mp4' });
    });

    for (const [how, cut] of Object.entries({ whole, 'in random pieces': randomly(5), 'byte by byte': byteByByte })) {
      it(`are written down piece by piece, sent ${how}`, async () => {
        const first = said('Grüße ', { usageMetadata: undefined });
        server.answer(eventsReply([first, said('aus 世界')]), cut);
        const answer = await wholeOf(
          listening.transcribe({ ...request, stream: true, file: fileOf(noise(9)) }, { signal }),
        );
        expect(answer).to.include({ text: 'Grüße aus 世界', finish: 'stop' });
        expect(calls()[0]).to.match(/:streamGenerateContent\?alt=sse$/);
      });
    }

    it('are looked at in as many pictures as asked for', async () => {
      server.answer(jsonReply(said('A cat.')));
      const file = fileOf(noise(100), { mediaType: 'video/mp4' });
      const answer = await wholeOf(looking.analyze({ ...watching, system: 'Be short.', file }, { signal }));
      expect(answer.text).to.equal('A cat.');
      const { contents, ...rest } = bodyOf(server.received[0]!);
      expect(contents).to.deep.equal([
        {
          role: 'user',
          parts: [
            {
              inlineData: { mimeType: 'video/mp4', data: noise(100).toString('base64') },
              videoMetadata: { fps: 2 },
            },
            { text: 'What is to be seen?' },
          ],
        },
      ]);
      expect(rest).to.deep.equal({
        systemInstruction: { parts: [{ text: 'Be short.' }] },
        generationConfig: { temperature: 0.4, maxOutputTokens: 65_536 },
      });
    });

    it('fail when nothing was understood', async () => {
      for (const text of ['', ' \n']) {
        server.answer(jsonReply(said(text)));
        const failure = await failureOf(listening.transcribe({ ...request, file: fileOf(noise(9)) }, { signal }));
        expect(failure).to.include({ kind: 'protocol' });
      }
    });

    it('are sent again in full with the next key when one is refused', async () => {
      server.answer(() =>
        server.received.length < 2 ? jsonReply({ error: { code: 429 } }, 429) : jsonReply(said('x')),
      );
      await wholeOf(listening.transcribe({ ...request, file: fileOf(noise(5000)) }, { signal }));
      const [one, two] = server.received;
      expect(one!.body.length).to.equal(two!.body.length);
      expect(one!.headers['x-goog-api-key']).to.not.equal(two!.headers['x-goog-api-key']);
    });
  });

  describe('that are large', () => {
    const film = noise(19 * MIB);
    const large = (): ReturnType<typeof fileOf> => fileOf(film, { mediaType: 'video/webm' }, 256 * 1024);
    const held = (state: string): object => ({
      name: 'files/abc-123',
      uri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-123',
      mimeType: 'video/webm',
      state,
    });

    /** Holds files like the provider does; `states` are told one after the other. */
    const holding =
      (states: readonly string[], answer: Replay | undefined = jsonReply(said('A film.'))) =>
      ({ method, path, headers }: Received): Replay | undefined => {
        if (path === '/upload/v1beta/files') {
          return jsonReply({}, 200, {
            'x-goog-upload-url': 'https://elsewhere.example/upload/v1beta/files?upload_id=u1',
          });
        }
        if (headers['x-goog-upload-command'] === 'upload, finalize') return jsonReply({ file: held(states[0]!) });
        if (method === 'DELETE') return jsonReply({});
        if (method === 'GET') return jsonReply(held(states[calls().filter((call) => call.startsWith('GET')).length]!));
        return answer;
      };
    const removed = (): Promise<true> =>
      eventually('the removal', () => (calls().at(-1) === 'DELETE /v1beta/files/abc-123' ? true : undefined));

    it('are handed over, waited for, asked about and removed', async () => {
      server.answer(holding(['PROCESSING', 'PROCESSING', 'ACTIVE']));
      const answer = await wholeOf(looking.analyze({ ...watching, file: large() }, { signal }));
      expect(answer.text).to.equal('A film.');
      await removed();
      expect(calls()).to.deep.equal([
        'POST /upload/v1beta/files',
        'POST /upload/v1beta/files?upload_id=u1',
        'GET /v1beta/files/abc-123',
        'GET /v1beta/files/abc-123',
        'POST /v1beta/models/gemini-2.5-pro:generateContent',
        'DELETE /v1beta/files/abc-123',
      ]);
      const [begun, sent, , , asked] = server.received;
      expect(begun!.headers).to.include({
        'x-goog-upload-protocol': 'resumable',
        'x-goog-upload-command': 'start',
        'x-goog-upload-header-content-length': (19 * MIB).toString(),
        'x-goog-upload-header-content-type': 'video/webm',
      });
      expect(sent!.headers).to.include({ 'x-goog-upload-offset': '0', 'content-length': (19 * MIB).toString() });
      expect(sent!.body.equals(film)).to.equal(true);
      const { contents } = bodyOf(asked!) as { contents: [{ parts: [object] }] };
      expect(contents[0].parts[0]).to.deep.equal({
        fileData: { mimeType: 'video/webm', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-123' },
        videoMetadata: { fps: 2 },
      });
      expect(server.received.every(({ headers }) => headers['x-goog-api-key'] === 'a')).to.equal(true);
    });

    it('of sound go the same way', async () => {
      server.answer(holding(['ACTIVE'], jsonReply(said('A speech.'))));
      const answer = await wholeOf(listening.transcribe({ ...request, file: large() }, { signal }));
      expect(answer.text).to.equal('A speech.');
      await removed();
    });

    it('are removed when the question is refused', async () => {
      server.answer(holding(['ACTIVE'], jsonReply({ error: { code: 400, message: 'no' } }, 400)));
      const failure = await failureOf(looking.analyze({ ...watching, file: large() }, { signal }));
      expect(failure).to.include({ kind: 'invalid_request', status: 400 });
      await removed();
    });

    it('are removed when they cannot be read', async () => {
      server.answer(holding(['PROCESSING', 'FAILED']));
      const failure = await failureOf(looking.analyze({ ...watching, file: large() }, { signal }));
      expect(failure).to.include({ kind: 'invalid_request' });
      await removed();
      expect(calls().some((call) => call.includes('generateContent'))).to.equal(false);
    });

    it('are removed when nobody waits for them any more', async () => {
      const stopping = new AbortController();
      server.answer(holding(Array.from({ length: 10_000 }, () => 'PROCESSING')));
      const asked = failureOf(looking.analyze({ ...watching, file: large() }, { signal: stopping.signal }));
      await eventually('the waiting', () => (calls().at(-1)?.startsWith('GET') === true ? true : undefined));
      stopping.abort();
      expect(await asked).to.include({ kind: 'aborted' });
      await removed();
    });

    it('are removed when the answer is given up before it was read', async () => {
      const stopping = new AbortController();
      server.answer(holding(['ACTIVE']));
      await looking.analyze({ ...watching, file: large() }, { signal: stopping.signal });
      stopping.abort();
      await removed();
    });

    it('fail when it is not said where they go', async () => {
      server.answer(jsonReply({}));
      const failure = await failureOf(looking.analyze({ ...watching, file: large() }, { signal }));
      expect(failure).to.include({ kind: 'protocol' });
    });
  });
});
