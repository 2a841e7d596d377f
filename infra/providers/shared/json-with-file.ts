import { randomUUID } from 'node:crypto';
import type { MediaFile } from '../../../src/kernel/media-upstream.ts';
import type { LongBody } from './long-body.ts';

/** The bytes as base64, three by three, so that the pieces put together are the base64 of the whole. */
const base64Of = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  let rest = Buffer.alloc(0);
  for await (const piece of bytes) {
    const all =
      rest.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([rest, piece]);
    const whole = all.length - (all.length % 3);
    rest = Buffer.from(all.subarray(whole));
    if (whole > 0) yield Buffer.from(all.toString('base64', 0, whole), 'latin1');
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'), 'latin1');
  return undefined;
};

/** A JSON body in which the file's base64 stands where `make` has put the text that it was given. */
export const jsonWithFile = (make: (base64: string) => unknown, file: MediaFile): LongBody => {
  const mark = randomUUID();
  const [before = '', after = ''] = JSON.stringify(make(mark)).split(mark);
  const head = Buffer.from(before);
  const tail = Buffer.from(after);
  const bytes = async function* (): AsyncGenerator<Uint8Array, undefined> {
    yield head;
    yield* base64Of(file.read());
    yield tail;
    return undefined;
  };
  return {
    contentType: 'application/json',
    length: head.length + 4 * Math.ceil(file.size / 3) + tail.length,
    bytes: bytes(),
  };
};
