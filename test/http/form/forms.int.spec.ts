import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { json, publicEndpoint } from '../../../src/http/endpoint.ts';
import type { MediaForm } from '../../../src/kernel/media-upstream.ts';
import { boundlessRoom, roomOf } from '../../../src/http/room.ts';
import { diskSpool, type Spool } from '../../../src/http/form/spool.ts';
import { defaultLimits } from '../../../src/http/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { startHttp, type HttpUnderTest } from '../../support/given-http.ts';
import { BOUNDARY, FORM_TYPE, writtenForm, type WrittenPart } from './written-form.ts';

const MOST = 200_000;

/** Counts the files that are open. */
const watched = (inner: Spool): Readonly<{ spool: Spool; open: () => number; made: () => number }> => {
  let open = 0;
  let made = 0;
  return {
    open: () => open,
    made: () => made,
    spool: async () => {
      const file = await inner();
      open += 1;
      made += 1;
      let closed = false;
      return {
        ...file,
        close: async () => {
          if (!closed) open -= 1;
          closed = true;
          await file.close();
        },
      };
    },
  };
};

const bytesOf = async (form: MediaForm, length?: number): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of form.file?.read(length) ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
};

describe('forms with a file', () => {
  let under: HttpUnderTest;
  let directory: string;
  let files: ReturnType<typeof watched>;
  let holding: Promise<unknown> | undefined;
  let closed: boolean;

  const endpoint = publicEndpoint<MediaForm>({
    method: 'POST',
    path: '/public/form',
    limit: 'public',
    form: { file: { field: 'file', mostBytes: MOST }, texts: { model: 20, prompt: 1000 } },
    handle: async ({ body, gone, keepUntil }) => {
      if (holding !== undefined) keepUntil(holding);
      gone.addEventListener('abort', () => (closed = true));
      const bytes = await bytesOf(body);
      const head = await bytesOf(body, 3);
      const { file, texts } = body;
      return json(200, {
        texts,
        file: file && { name: file.name, mediaType: file.mediaType, size: file.size, sha256: file.sha256 },
        read: createHash('sha256').update(bytes).digest('hex'),
        head: head.toString('hex'),
      });
    },
  });

  const start = async (spool?: Spool, mostBytes = Infinity): Promise<void> => {
    directory = mkdtempSync(join(tmpdir(), 'spool-'));
    files = watched(spool ?? diskSpool(directory));
    holding = undefined;
    closed = false;
    under = await startHttp([endpoint], {
      bodyTimeoutMs: 200,
      spool: files.spool,
      rooms: { bodies: boundlessRoom, forms: roomOf({ mostBytes, what: 'files' }) },
      limits: { ...defaultLimits, public: { perIp: 10_000, windowSeconds: 60 } },
    });
  };
  afterEach(async () => {
    await under.close();
    await eventually('all files closed', () => (files.open() === 0 ? true : undefined));
    expect(readdirSync(directory)).to.deep.equal([]);
    rmSync(directory, { recursive: true });
  });

  type Answer = Readonly<{ status: number; body: Record<string, unknown> }>;
  const send = async (
    bytes: NonNullable<RequestInit['body']>,
    headers: Record<string, string> = FORM_TYPE,
  ): Promise<Answer> => {
    const response = await fetch(`${under.url}/public/form`, {
      method: 'POST',
      headers,
      body: bytes,
      ...(bytes instanceof ReadableStream ? { duplex: 'half' } : {}),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const post = (parts: readonly WrittenPart[]): Promise<Answer> => send(writtenForm(parts));

  /** Sends bytes as they are, each piece by itself, and reads until the connection ends or `until` is seen. */
  const raw = async (pieces: readonly (string | Buffer)[], until: RegExp): Promise<string> => {
    const socket = connect(Number(new URL(under.url).port), '127.0.0.1');
    socket.setNoDelay(true);
    let seen = '';
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (until.test(seen)) socket.destroy();
    });
    socket.on('error', () => undefined);
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
    if (!socket.destroyed) await once(socket, 'close');
    return seen;
  };
  const head = (length: number): string =>
    `POST /public/form HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM_TYPE['content-type']}\r\nContent-Length: ${length}\r\n\r\n`;

  const audio = Buffer.from(Array.from({ length: 3000 }, (_none, index) => (index * 7) % 256));
  const sound: WrittenPart = { name: 'file', value: audio, fileName: 'a.webm', type: 'audio/webm; codecs=opus' };
  const sha256 = createHash('sha256').update(audio).digest('hex');

  describe('that are whole', () => {
    beforeEach(() => start());

    it('hand on texts and the file, which is on disk and can be read more than once', async () => {
      const { status, body } = await post([{ name: 'model', value: 'openai/ü' }, sound, { name: 'prompt', value: '' }]);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({
        texts: { model: 'openai/ü', prompt: '' },
        file: { name: 'a.webm', mediaType: 'audio/webm; codecs=opus', size: 3000, sha256 },
        read: sha256,
        head: audio.subarray(0, 3).toString('hex'),
      });
      expect(files.made()).to.equal(1);
    });

    it('are read the same wherever the network cuts them', async () => {
      const tricky = Buffer.from(`\r\n--${BOUNDARY.slice(0, 4)}\r\n--${BOUNDARY}x\r`.slice(0, 12));
      const body = writtenForm([
        { name: 'model', value: 'a\r\n--b' },
        { name: 'file', value: tricky, fileName: 'ß.webm', type: 'audio/webm' },
        { name: 'other', value: 'skipped' },
      ]);
      const hash = createHash('sha256').update(tricky).digest('hex');
      for (let cut = 1; cut < body.length; cut += 1) {
        const { body: answer } = await send(
          new ReadableStream<Uint8Array>({
            start: (controller) => {
              controller.enqueue(new Uint8Array(body.subarray(0, cut)));
              controller.enqueue(new Uint8Array(body.subarray(cut)));
              controller.close();
            },
          }),
        );
        expect(answer, `cut at ${cut}`).to.deep.include({ texts: { model: 'a\r\n--b' }, read: hash });
      }
    }).timeout(30_000);

    it('are read byte by byte', async () => {
      const body = writtenForm([
        { name: 'model', value: 'm' },
        { ...sound, value: audio.subarray(0, 100) },
      ]);
      const answer = await raw([head(body.length), ...Array.from(body, (byte) => Buffer.of(byte))], /"head".*}/);
      expect(answer).to.match(/^HTTP\/1.1 200 /);
      expect(answer).to.include(createHash('sha256').update(audio.subarray(0, 100)).digest('hex'));
    });

    it('may leave the file out, send it empty, and name it in any way', async () => {
      expect((await post([{ name: 'model', value: 'm' }])).body).to.not.have.property('file');
      expect((await post([{ ...sound, value: '' }])).body['file']).to.deep.include({ size: 0 });
      const { fileName: _name, type: _type, ...bare } = sound;
      expect((await post([bare])).body['file']).to.deep.include({ name: '', mediaType: '', size: 3000 });
      for (const name of ['..\\a.mp3', '../a.mp3', 'a; b.mp3', 'まど.mp3']) {
        expect((await post([{ ...sound, fileName: name }])).body['file']).to.deep.include({ name });
      }
      const encoded = writtenForm([sound])
        .toString('latin1')
        .replace('filename="a.webm"', "filename*=UTF-8''%C3%BC.mp3");
      expect((await send(Buffer.from(encoded, 'latin1'))).body['file']).to.deep.include({ name: 'ü.mp3' });
    });

    it('skip what they do not know, files too', async () => {
      const { body } = await post([
        { name: 'video', value: Buffer.alloc(100_000), fileName: 'x.mp4', type: 'video/mp4' },
        { name: '__proto__', value: 'x' },
        sound,
        { name: 'constructor', value: 'x' },
      ]);
      expect(body).to.deep.include({ texts: {}, read: sha256 });
      expect(files.made()).to.equal(1);
    });

    it('take a file of the largest size', async () => {
      expect((await post([{ ...sound, value: Buffer.alloc(MOST) }])).body['file']).to.deep.include({ size: MOST });
    });

    it('may end with anything behind the last boundary', async () => {
      const bytes = Buffer.concat([writtenForm([sound]), Buffer.alloc(100_000, 'x')]);
      expect((await send(bytes)).body).to.deep.include({ read: sha256 });
    });

    it('keep the file for as long as it is needed', async () => {
      let settle = (): void => undefined;
      holding = new Promise<void>((resolve) => {
        settle = resolve;
      });
      expect((await post([sound])).status).to.equal(200);
      expect(files.open()).to.equal(1);
      settle();
      await eventually('the file closed', () => (files.open() === 0 ? true : undefined));
    });
  });

  describe('that are wrong', () => {
    beforeEach(() => start());

    const refused: readonly (readonly [string, Buffer | string, Record<string, string>, number, string])[] = [
      [
        'without a boundary in the type',
        writtenForm([sound]),
        { 'content-type': 'multipart/form-data' },
        400,
        'bad_request',
      ],
      ['of another type', '{}', { 'content-type': 'application/json' }, 400, 'bad_request'],
      ['that are empty', '', FORM_TYPE, 400, 'bad_request'],
      ['that are no form', 'hello', FORM_TYPE, 400, 'bad_request'],
      ['cut in the file', writtenForm([sound]).subarray(0, 2000), FORM_TYPE, 400, 'bad_request'],
      ['cut in a head', writtenForm([sound]).subarray(0, 40), FORM_TYPE, 400, 'bad_request'],
      ['cut before the last boundary', writtenForm([sound]).subarray(0, -16), FORM_TYPE, 400, 'bad_request'],
      ['with two files', writtenForm([sound, sound]), FORM_TYPE, 400, 'bad_request'],
      [
        'with a field twice',
        writtenForm([sound, { name: 'model', value: 'a' }, { name: 'model', value: 'b' }]),
        FORM_TYPE,
        400,
        'bad_request',
      ],
      [
        'with a text that is not UTF-8',
        writtenForm([{ name: 'model', value: Buffer.of(0xff) }]),
        FORM_TYPE,
        400,
        'bad_request',
      ],
      [
        'with too many parts',
        writtenForm(Array.from({ length: 65 }, () => ({ name: 'x', value: '1' }))),
        FORM_TYPE,
        400,
        'bad_request',
      ],
      [
        'with a part that has no end of its head',
        `--${BOUNDARY}\r\nContent-Disposition: x\r\n--${BOUNDARY}--`,
        FORM_TYPE,
        400,
        'bad_request',
      ],
      [
        'with a file that is too large',
        writtenForm([{ ...sound, value: Buffer.alloc(MOST + 1) }]),
        FORM_TYPE,
        413,
        'payload_too_large',
      ],
      [
        'with a text that is too long',
        writtenForm([{ name: 'model', value: 'x'.repeat(21) }, sound]),
        FORM_TYPE,
        413,
        'payload_too_large',
      ],
      [
        'that are larger than all their fields may be',
        Buffer.alloc(2 * MOST + 300_000),
        FORM_TYPE,
        413,
        'payload_too_large',
      ],
    ];
    for (const [what, body, headers, status, type] of refused) {
      it(`are refused ${what}`, async () => {
        const answer = await send(body, headers);
        expect(answer.status).to.equal(status);
        expect(answer.body).to.include({ code: status, error_type: type, errorType: type });
      });
    }

    it('are cut off at every byte without harm', async () => {
      const body = writtenForm([
        { name: 'model', value: 'm' },
        { ...sound, value: 'abc' },
      ]);
      // The line end behind the last boundary may be missing.
      for (let length = 0; length < body.length - 4; length += 1) {
        expect((await send(body.subarray(0, length))).status, `of ${length} bytes`).to.equal(400);
      }
    }).timeout(30_000);

    it('are refused without being read when their length says so', async () => {
      expect(await raw([head(10 * MOST)], /payload_too_large.*}/)).to.match(/^HTTP\/1.1 413 /);
      expect(files.made()).to.equal(0);
    });

    it('are refused in the middle of an endless body', async () => {
      let sent = false;
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (!sent) controller.enqueue(writtenForm([sound]).subarray(0, 1000));
          sent = true;
          controller.enqueue(new Uint8Array(10_000));
        },
      });
      expect((await send(endless)).status).to.equal(413);
    });

    it('are answered 408 when they stop arriving', async () => {
      const body = writtenForm([sound]);
      const answer = await raw([head(body.length), body.subarray(0, 1000)], /timeout_error.*}/);
      expect(answer).to.match(/^HTTP\/1.1 408 /);
      expect(files.made()).to.equal(1);
    });

    it('leave nothing when the client goes away', async () => {
      const body = writtenForm([sound]);
      const socket = connect(Number(new URL(under.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(Buffer.concat([Buffer.from(head(body.length)), body.subarray(0, 1000)]));
      await eventually('the file', () => (files.open() === 1 ? true : undefined));
      socket.destroy();
      await eventually('the end of the file', () => (files.open() === 0 ? true : undefined));
      expect(closed).to.equal(false);
    });
  });

  describe('that find no room', () => {
    it('are refused when there can be no directory, which is a fault of ours', async () => {
      await start(diskSpool('/dev/null/uploads'));
      expect((await post([sound])).status).to.equal(500);
    });

    it('are refused while others fill the room, which each gives back when its file is closed', async () => {
      await start(undefined, 20_000);
      const needed = Promise.withResolvers<undefined>();
      holding = needed.promise;
      expect((await post([sound])).status).to.equal(200);
      holding = undefined;
      const own = await post([sound, { name: 'prompt', value: 'x'.repeat(900) }, sound]);
      expect([own.status, own.body['error_type']]).to.deep.equal([429, 'rate_limit_error']);
      const unannounced = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(writtenForm([sound]));
          controller.close();
        },
      });
      expect((await send(unannounced)).status).to.equal(429);
      needed.resolve(undefined);
      await eventually('the file is closed', () => (files.open() === 0 ? true : undefined));
      for (const [parts, status] of [
        [[sound], 200],
        [[sound, sound], 400],
        [[sound], 200],
      ] as const) {
        // The room is given back a moment after the file is closed.
        const answered = await eventually('its room', async () => {
          const answer = await post(parts);
          return answer.status === 429 ? undefined : answer.status;
        });
        expect(answered).to.equal(status);
        await eventually('its file is closed', () => (files.open() === 0 ? true : undefined));
      }
    });

    it('are refused by a disk that is full, without a crash', async () => {
      await start(diskSpool('', () => open('/dev/full', 'r+')));
      const { status, body } = await post([sound]);
      expect(status).to.equal(503);
      expect(body).to.include({ error_type: 'service_unavailable' });
      expect((await post([{ name: 'model', value: 'm' }])).status).to.equal(200);
    });
  });
});
