import type { MediaFile } from '../../src/kernel/media-upstream.ts';

/** What a second takes where the file does not say it: WAV of 16 kHz and 16 bit. */
const BYTES_A_SECOND = 32_000;
/** The data of a WAV file begins within so many bytes, after whatever notes stand before it. */
const HEAD_BYTES = 64 * 1024;
/** Written by those who do not know the length yet. */
const UNKNOWN = 0xffff_ffff;

type Chunk = Readonly<{ name: string; from: number; size: number }>;

const chunksOf = function* (head: Buffer): Generator<Chunk, undefined> {
  for (let at = 12; at + 8 <= head.length;) {
    const size = head.readUInt32LE(at + 4);
    yield { name: head.toString('latin1', at, at + 4), from: at + 8, size };
    at += 8 + size + (size % 2);
  }
  return undefined;
};

/** Milliseconds by the head of a WAV file of `size` bytes; undefined when it is none. */
export const wavMilliseconds = (head: Buffer, size: number): number | undefined => {
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') return undefined;
  let bytesASecond = 0;
  for (const chunk of chunksOf(head)) {
    if (chunk.name === 'fmt ' && chunk.from + 12 <= head.length) bytesASecond = head.readUInt32LE(chunk.from + 8);
    if (chunk.name !== 'data') continue;
    if (bytesASecond === 0) return undefined;
    const rest = Math.max(0, size - chunk.from);
    const bytes = chunk.size === 0 || chunk.size === UNKNOWN ? rest : Math.min(chunk.size, rest);
    return Math.floor((bytes * 1_000) / bytesASecond);
  }
  return undefined;
};

const headOf = async (file: MediaFile, length: number): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read(length)) pieces.push(piece);
  return Buffer.concat(pieces);
};

/** Milliseconds of sound in a file: by its own head when it has one that tells, else by its size. */
export const soundMilliseconds = async (file: MediaFile): Promise<number> =>
  wavMilliseconds(await headOf(file, HEAD_BYTES), file.size) ?? Math.floor((file.size * 1_000) / BYTES_A_SECOND);

const EBML = Buffer.of(0x1a, 0x45, 0xdf, 0xa3);

/** True when the file begins like WebM does. */
export const beginsLikeWebm = async (file: MediaFile): Promise<boolean> =>
  (await headOf(file, EBML.length)).equals(EBML);
