/** A body of a known length that is made while it is sent. */
export type LongBody = Readonly<{ contentType: string; length: number; bytes: AsyncIterable<Uint8Array> }>;
