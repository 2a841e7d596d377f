import { request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { BOUNDARY } from '../http/form/written-form.ts';
import { givenMedia, TRANSCRIPTIONS, VIDEO, type GivenMedia } from './given-media.ts';
import { discardingProvider, type DiscardingProvider } from './discarding-provider.ts';

const MIB = 1024 * 1024;
const SIZE = 100 * MIB;
/** Room for the buffers on each of the ways. */
const MOST_MORE = 32 * MIB;
const LOOK_EVERY = 10 * MIB;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held when everything that nobody needs is gone. */
const heldNow = (): number => {
  // Buffers are freed beside the collection; the next one waits until that is done.
  collect();
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
};

describe('a file of 100 MiB', () => {
  let given: GivenMedia;
  let provider: DiscardingProvider;
  afterEach(async () => {
    await given.close();
    await provider.stop();
  });

  /** Sends a form whose file is made while it is sent, and looks at what the memory holds meanwhile. */
  const send = (path: string, field: string, texts: Readonly<Record<string, string>>) =>
    new Promise<Readonly<{ status: number; text: string; most: number }>>((resolve, reject) => {
      const part = (name: string, more = ''): string =>
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
      const head = Object.entries(texts).map(([name, value]) => `${part(name)}${value}\r\n`);
      head.push(part(field, '; filename="file.mp3"\r\nContent-Type: audio/mpeg'));
      let most = 0;
      const asked = request(
        `${given.url}${path}`,
        {
          method: 'POST',
          headers: { authorization: 'Bearer ada', 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, text, most });
          });
        },
      );
      asked.on('error', reject);
      const piece = Buffer.alloc(64 * 1024, 7);
      let left = SIZE;
      const more = (): void => {
        while (left > 0) {
          left -= piece.length;
          if (left % LOOK_EVERY === 0) most = Math.max(most, heldNow());
          if (!asked.write(piece)) return void asked.once('drain', more);
        }
        asked.end(`\r\n--${BOUNDARY}--\r\n`);
      };
      asked.write(head.join(''));
      more();
    });

  for (const [what, path, field, model] of [
    ['of sound', TRANSCRIPTIONS, 'file', 'google/gemini-3-flash-preview-transcribe'],
    ['of film', VIDEO, 'video', 'google/gemini-2.5-pro'],
  ] as const) {
    it(`${what} goes to the provider without being held in memory`, async () => {
      let most = 0;
      let nextLook = LOOK_EVERY;
      provider = await discardingProvider((length) => {
        if (length < nextLook) return;
        nextLook += LOOK_EVERY;
        most = Math.max(most, heldNow());
      });
      given = await givenMedia({ googleUrl: provider.url, mostVideoBytes: SIZE });
      const before = heldNow();
      const answer = await send(path, field, { model, prompt: 'What?', durationMs: '60000' });
      expect(answer.status, answer.text).to.equal(200);
      expect(provider.uploaded()).to.equal(SIZE);
      expect(nextLook).to.be.above(SIZE);
      expect(Math.max(most, answer.most) - before).to.be.below(MOST_MORE);
    }).timeout(60_000);
  }
});
