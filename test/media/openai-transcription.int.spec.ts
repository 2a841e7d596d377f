import { expect } from 'chai';
import { openAiTranscription } from '../../infra/providers/openai/openai-transcription.ts';
import { completionCollector } from '../../src/kernel/completion-collector.ts';
import type { TranscriptionRequest, TranscriptionUpstream } from '../../src/kernel/media-upstream.ts';
import { isUpstreamError, type Completion } from '../../src/kernel/upstream.ts';
import { completionTokens, promptTokens } from '../../src/kernel/usage.ts';
import { casesOf, haveRecordings, type Expected } from '../providers/recorded-cases.ts';
import { byteByByte, randomly, whole } from '../providers/replaying-upstream.ts';
import { eventually } from '../support/eventually.ts';
import { fileOf, noise, wavOf } from './given-files.ts';
import { jsonReply, localProvider, type LocalProvider } from './local-provider.ts';

const cuts = {
  whole,
  'in random pieces': randomly(7),
  'in other random pieces': randomly(99),
  'byte by byte': byteByByte,
};

const requestOf = (over: Partial<TranscriptionRequest> = {}): TranscriptionRequest => ({
  requestId: '5b8f3a0e-0000-4000-8000-000000000001',
  model: 'gpt-4o-transcribe',
  file: fileOf(wavOf(0.1)),
  seconds: 0,
  stream: false,
  ...over,
});

type Heard = Expected & Readonly<{ audio_seconds?: number; audio_tokens?: number; error?: { kind?: string } }>;

describe('speech to text at OpenAI', () => {
  let server: LocalProvider;
  let upstream: TranscriptionUpstream;
  before(async () => {
    server = await localProvider();
    upstream = openAiTranscription({ baseUrl: server.url, apiKey: 'sk-test', clock: () => new Date(0) });
  });
  after(async () => {
    await upstream.close();
    await server.stop();
    if (!haveRecordings) console.log('    the recordings are not here: 4 of transcription did not run');
  });

  const ask = async (
    request: TranscriptionRequest,
    signal = new AbortController().signal,
  ): Promise<Readonly<{ completion: Completion; failure: unknown }>> => {
    const collected = completionCollector();
    try {
      for await (const batch of await upstream.transcribe(request, { signal })) batch.forEach(collected.take);
      return { completion: collected.whole(), failure: undefined };
    } catch (failure) {
      return { completion: collected.whole(), failure };
    }
  };

  const thenUsed = (expected: Heard, { usage }: Completion): void => {
    if (expected.audio_seconds !== undefined) {
      // The time is the provider's, the tokens that it stands for are ours, and so is the count of the text.
      expect(usage).to.include({
        source: 'early',
        inputAudio: Math.floor(expected.audio_seconds) * 10,
        outputVisible: 0,
      });
      return;
    }
    if (expected.prompt_tokens === null) return void expect(usage).to.equal(undefined);
    expect(usage).to.include({ source: 'final', complete: true });
    expect(promptTokens(usage!)).to.equal(expected.prompt_tokens);
    expect(completionTokens(usage!)).to.equal(expected.completion_tokens);
    const raw = (expected as { usage_raw?: { input_token_details?: { audio_tokens?: number } } }).usage_raw;
    expect(usage!.inputAudio).to.equal(expected.audio_tokens ?? raw?.input_token_details?.audio_tokens);
  };

  for (const recorded of casesOf('transcription')) {
    for (const [how, cut] of Object.entries(cuts)) {
      it(`reads ${recorded.name}, sent ${how}`, async () => {
        server.answer(recorded, cut);
        const { completion, failure } = await ask(requestOf({ stream: recorded.streaming }));
        const expected = recorded.expected as Heard;
        expect(completion.text).to.equal(expected.text ?? '');
        if (expected.error !== undefined) {
          if (!isUpstreamError(failure)) return expect.fail(`no failure of the provider: ${String(failure)}`);
          return void expect(failure.kind).to.equal(expected.error.kind);
        }
        if (failure !== undefined) throw failure as Error;
        expect(completion.finish).to.equal('stop');
        thenUsed(expected, completion);
      });
    }
  }

  it('sends a form with the file as it is', async () => {
    server.answer(jsonReply({ text: 'x' }, 200, { 'x-request-id': 'req_1' }));
    const bytes = noise(100_000);
    const file = fileOf(bytes, { name: 'a "quoted"\r\nnäme.m4a', mediaType: 'audio/mp4' }, 777);
    const { completion } = await ask(requestOf({ file, language: 'de', prompt: 'Straße', temperature: 0.125 }));
    const { path, headers, body } = server.received.at(-1)!;
    expect(path).to.equal('/v1/audio/transcriptions');
    expect(headers).to.include({ authorization: 'Bearer sk-test', 'content-length': body.length.toString() });
    const boundary = /^multipart\/form-data; boundary=([\w-]+)$/.exec(headers['content-type'] ?? '')?.[1];
    const texts = {
      model: 'gpt-4o-transcribe',
      response_format: 'json',
      language: 'de',
      prompt: 'Straße',
      temperature: '0.125',
    };
    const expected = Buffer.concat([
      ...Object.entries(texts).map(([name, value]) =>
        Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
      ),
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a %22quoted%22%0D%0Anäme.m4a"\r\n` +
          'Content-Type: audio/mp4\r\n\r\n',
      ),
      bytes,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    expect(body.equals(expected)).to.equal(true);
    expect(completion).to.include({ upstreamId: 'req_1', model: 'gpt-4o-transcribe' });
  });

  it('asks for pieces when pieces are wanted', async () => {
    server.answer(casesOf('transcription').find(({ name }) => name === 'own-stream')!);
    await ask(requestOf({ stream: true }));
    const { headers, body } = server.received.at(-1)!;
    expect(headers.accept).to.equal('text/event-stream');
    expect(body.toString('latin1')).to.match(/name="stream"\r\n\r\ntrue\r\n/);
  });

  it('does without pieces when the provider answers at once', async () => {
    server.answer(jsonReply({ text: 'all of it' }));
    expect((await ask(requestOf({ stream: true }))).completion.text).to.equal('all of it');
  });

  for (const [status, kind] of [
    [401, 'auth'],
    [413, 'invalid_request'],
    [429, 'rate_limit'],
    [500, 'server'],
  ] as const) {
    it(`tells a ${status} as ${kind}`, async () => {
      server.answer(jsonReply({ error: { message: 'no', type: 'x', code: null } }, status));
      expect((await ask(requestOf())).failure).to.include({ kind, status, provider: 'openai' });
    });
  }

  it('lets go of the file and the connection when it is stopped', async () => {
    const stopping = new AbortController();
    let sent = 0;
    let released = false;
    const endless = fileOf(Buffer.alloc(0), {
      size: 1_000_000_000,
      read: async function* () {
        try {
          for (;;) {
            await Promise.resolve();
            sent += 1;
            yield Buffer.alloc(10_000);
          }
        } finally {
          released = true;
        }
      },
    });
    const lost = server.lost();
    const asked = ask(requestOf({ file: endless }), stopping.signal);
    await eventually('some bytes', () => (sent > 3 ? true : undefined));
    stopping.abort();
    expect((await asked).failure).to.include({ kind: 'aborted' });
    await eventually('the end of the file', () => (released ? true : undefined));
    await eventually('the end of the connection', () => (server.lost() === lost + 1 ? true : undefined));
    expect(sent).to.be.below(1_000);
  });

  it('fails when the file is shorter than it was said to be', async () => {
    server.answer(jsonReply({ text: 'x' }));
    const file = fileOf(noise(5_000), { size: 6_000 });
    expect((await ask(requestOf({ file }))).failure).to.satisfy(isUpstreamError);
  });
});
