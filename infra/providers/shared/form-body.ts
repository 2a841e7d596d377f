import { randomUUID } from 'node:crypto';
import type { MediaFile } from '../../../src/kernel/media-upstream.ts';
import type { LongBody } from './long-body.ts';

/** As browsers write names into the heads of parts. */
const quoted = (name: string): string => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');

/** A form with some texts and one file, which is read while it is sent. */
export const formBody = (texts: Readonly<Record<string, string>>, field: string, file: MediaFile): LongBody => {
  const boundary = `form-${randomUUID()}`;
  const head = Buffer.from(
    [
      ...Object.entries(texts).map(
        ([name, text]) => `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${text}\r\n`,
      ),
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${quoted(file.name)}"\r\n`,
      `Content-Type: ${file.mediaType}\r\n\r\n`,
    ].join(''),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const bytes = async function* (): AsyncGenerator<Uint8Array, undefined> {
    yield head;
    yield* file.read();
    yield tail;
    return undefined;
  };
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: head.length + file.size + tail.length,
    bytes: bytes(),
  };
};
