import type { MediaFile } from '../../src/kernel/media-upstream.ts';

/** A file of these bytes, read in pieces of `size`. */
export const fileOf = (bytes: Buffer, over: Partial<MediaFile> = {}, size = 1000): MediaFile => ({
  name: 'audio.wav',
  mediaType: 'audio/wav',
  size: bytes.length,
  sha256: 'not asked for',
  read: async function* (length = bytes.length) {
    await Promise.resolve();
    for (let from = 0; from < length; from += size) yield bytes.subarray(from, Math.min(length, from + size));
  },
  ...over,
});

/** Bytes that repeat late. */
export const noise = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_none, index) => (index * 2_654_435_761) >>> 23));

/** A WAV file of 16 kHz, 16 bit, mono. */
export const wavOf = (seconds: number): Buffer => {
  const samples = noise(Math.round(seconds * 32_000));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
};
