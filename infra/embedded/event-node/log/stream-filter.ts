/** Says of most streams that do not exist that they do not, without a look at the disk. It never denies one that does. */
export type StreamFilter = { add: (stream: number) => void; mayHave: (stream: number) => boolean };

const bitCount = 2 ** 26;
const probes = 4;

/** Memory for a filter, to be shared between threads: 8 MiB, under one false answer in a hundred at five million streams. */
export const allocateStreamFilter = (): SharedArrayBuffer => new SharedArrayBuffer(bitCount / 8);

/** A view on the memory of a filter. */
export const viewStreamFilter = (memory: SharedArrayBuffer): StreamFilter => {
  const bytes = new Uint8Array(memory);
  // Stream keys are evenly spread already: their halves serve as two independent hashes.
  const low = (stream: number): number => stream % bitCount;
  const high = (stream: number): number => Math.floor(stream / bitCount) | 1;
  return {
    add: (stream) => {
      const step = high(stream);
      for (let probe = 0, bit = low(stream); probe < probes; probe++, bit = (bit + step) % bitCount) {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
    },
    mayHave: (stream) => {
      const step = high(stream);
      for (let probe = 0, bit = low(stream); probe < probes; probe++, bit = (bit + step) % bitCount) {
        if (((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
      }
      return true;
    },
  };
};
