import { expect } from 'chai';
import { startSandbox, type Sandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import { sandboxTranscription } from '../../infra/providers/sandbox/sandbox-transcription.ts';
import { completionCollector } from '../../src/kernel/completion-collector.ts';
import type { TranscriptionUpstream } from '../../src/kernel/media-upstream.ts';
import type { Completion } from '../../src/kernel/upstream.ts';
import { fileOf, noise, wavOf } from './given-files.ts';

describe('the model on this machine that listens', () => {
  let sandbox: Sandbox;
  let upstream: TranscriptionUpstream;
  before(async () => {
    sandbox = await startSandbox({ port: 0 });
    upstream = sandboxTranscription({ baseUrl: sandbox.url, clock: () => new Date(0) });
  });
  after(async () => {
    await upstream.close();
    await sandbox.stop();
  });

  const listen = async (bytes: Buffer, stream = false): Promise<Completion> => {
    const collected = completionCollector();
    const request = { requestId: 'r', model: 'listener', file: fileOf(bytes), seconds: 1, stream };
    const { signal } = new AbortController();
    for await (const batch of await upstream.transcribe(request, { signal })) batch.forEach(collected.take);
    return collected.whole();
  };

  it('says the same of the same recording, at once and piece by piece', async () => {
    const wav = wavOf(2.5);
    const [one, two, other] = [await listen(wav), await listen(wav, true), await listen(noise(wav.length))];
    expect(one.text).to.match(/^A recording of 80044 bytes says: (\w+ ){7}\w+\.$/);
    expect(two.text).to.equal(one.text);
    expect(other.text).to.not.equal(one.text);
    expect(two.usage).to.deep.equal(one.usage);
    expect(one.usage).to.include({ inputAudio: 30, outputVisible: countTokens(one.text), source: 'final' });
    expect(sandbox.stats()).to.include({ requests: 3, completed: 3, inputTokens: 90 });
  });

  it('refuses what is no form with a file', async () => {
    for (const [type, body] of [
      ['application/json', '{}'],
      ['multipart/form-data; boundary=x', '--x--\r\n'],
    ] as const) {
      const response = await fetch(`${sandbox.url}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: { 'content-type': type },
        body,
      });
      expect(response.status).to.equal(400);
    }
  });
});
